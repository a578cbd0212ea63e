"""The recognizer of PP-OCRv6 small (Apache-2.0), as its ONNX file in RapidOCR's package has it, to be trained further.

The batch norms of its convolutions are folded into them already. At a stride of 8 px its outputs are those of the file;
at 4 px it takes the same windows at twice as many places, for scripts whose symbols are narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_WIDTH = 120
_HEADS = 8
STRIDES = (4, 8)


class _Excitation(nn.Module):
    """Weighs channels by their means (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        means = maps.mean((2, 3), keepdim=True)
        return maps * functional.hardsigmoid(self.excite(functional.relu(self.squeeze(means))))


class _Block(nn.Module):
    """A convolution of each channel by itself, then two that mix the channels."""

    def __init__(self, channels: int, width: int, excites: bool, halves_height: bool = False) -> None:
        super().__init__()
        stride = (2, 1) if halves_height else (1, 1)
        self.deep = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels)
        self.excitation = _Excitation(channels) if excites else None
        self.up, self.down = nn.Conv2d(channels, 2 * channels, 1), nn.Conv2d(2 * channels, width, 1)
        self.adds = not halves_height

    def convolutions(self) -> list[nn.Conv2d]:
        """Return them in the order of the file."""
        inner = [self.excitation.squeeze, self.excitation.excite] if self.excitation else []
        return [self.deep, *inner, self.up, self.down]

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.deep(maps)
        if self.excitation is not None:
            maps = self.excitation(maps)
        mixed: Tensor = self.down(functional.gelu(self.up(maps)))
        return maps + mixed if self.adds else mixed


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before, self.after = nn.LayerNorm(_WIDTH, eps=1e-5), nn.LayerNorm(_WIDTH, eps=1e-5)
        self.mixing, self.projection = nn.Linear(_WIDTH, 3 * _WIDTH), nn.Linear(_WIDTH, _WIDTH)
        self.wide, self.narrow = nn.Linear(_WIDTH, 2 * _WIDTH), nn.Linear(2 * _WIDTH, _WIDTH)
        self.dropout = nn.Dropout(0.1)

    def linears(self) -> list[nn.Linear]:
        """Return them in the order of the file."""
        return [self.mixing, self.projection, self.wide, self.narrow]

    def forward(self, steps: Tensor) -> Tensor:
        batch, count, width = steps.shape
        mixed = self.mixing(self.before(steps)).view(batch, count, 3, _HEADS, width // _HEADS)
        query, key, value = mixed.permute(2, 0, 3, 1, 4).unbind(0)
        weights = ((query * (width // _HEADS) ** -0.5) @ key.transpose(2, 3)).softmax(3)
        seen = (weights @ value).transpose(1, 2).reshape(batch, count, width)
        steps = steps + self.dropout(self.projection(seen))
        return steps + self.dropout(self.narrow(functional.silu(self.wide(self.after(steps)))))


class PpOcrV6(nn.Module):
    """(n, 1, 48, width) in 0..1, 1 = paper -> logits (n, width / stride, symbols + 1); the first is for no symbol."""

    def __init__(self, classes: int, stride: int = 8) -> None:
        super().__init__()
        self.stride = stride
        self.stem = nn.ModuleList([
            nn.Conv2d(3, 48, 3, 2, 1), nn.Conv2d(48, 24, 2), nn.Conv2d(24, 48, 2), nn.Conv2d(96, 48, 3, 2, 1),
            nn.Conv2d(48, 96, 1),
        ])  # fmt: skip
        self.blocks = nn.Sequential(
            _Block(96, 96, True), _Block(96, 96, False), _Block(96, 96, False), _Block(96, 192, False, True),
            *(_Block(192, 192, number % 2 == 0) for number in range(6)),
            _Block(192, 384, False, True), _Block(384, 384, True), _Block(384, 384, False),
        )  # fmt: skip
        self.skip, self.skip_norm = nn.Conv2d(384, _WIDTH, 1, bias=False), nn.BatchNorm2d(_WIDTH)
        self.reduce, self.reduce_norm = nn.Conv2d(384, _WIDTH, 1, bias=False), nn.BatchNorm2d(_WIDTH)
        self.local = nn.Conv2d(_WIDTH, _WIDTH, (1, 7), 1, (0, 3), groups=_WIDTH, bias=False)
        self.local_norm = nn.BatchNorm2d(_WIDTH)
        self.attention = nn.Sequential(_Attention(), _Attention())
        self.norm = nn.LayerNorm(_WIDTH, eps=1e-6)
        self.decoder = nn.Linear(_WIDTH, classes)

    def forward(self, line: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self._look(2 * line.expand(-1, 3, -1, -1) - 1))
        return logits

    def forward_training(self, line: Tensor) -> tuple[Tensor, ...]:
        """Return the logits."""
        return (self(line),)

    def _look(self, line: Tensor) -> Tensor:
        """Return features, (n, steps, 120). line: (n, 3, 48, width) in -1..1."""
        maps = self.blocks(self._begin(line))
        # At a stride of 4, the windows are the same, but begin at each column instead of each second one.
        maps = functional.avg_pool2d(
            maps if self.stride == 8 else functional.pad(maps, (0, 1)), (3, 2), (3, 2 if self.stride == 8 else 1)
        )
        skipped = functional.silu(self.skip_norm(self.skip(maps)))
        reduced = functional.silu(self.reduce_norm(self.reduce(maps)))
        reduced = reduced + functional.silu(self.local_norm(self.local(reduced)))
        steps: Tensor = self.norm(self.attention(reduced.flatten(2).transpose(1, 2)))
        return steps + skipped.flatten(2).transpose(1, 2)

    def _begin(self, line: Tensor) -> Tensor:
        first, narrow, wide, join, widen = self.stem
        maps = functional.relu(first(line))
        padded = functional.pad(maps, (0, 1, 0, 1))
        convolved = functional.relu(narrow(padded))
        convolved = functional.relu(wide(functional.pad(convolved, (0, 1, 0, 1))))
        maps = torch.cat([functional.max_pool2d(padded, 2, 1), convolved], 1)
        return functional.relu(widen(functional.relu(join(maps))))


def build(classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None) -> PpOcrV6:  # noqa: ARG001
    """Build a network with random weights. options: "stride" in px, 4 or 8."""
    return PpOcrV6(classes, int(options.get("stride", 8)))
