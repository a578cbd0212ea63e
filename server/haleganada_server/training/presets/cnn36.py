"""For digits and letters: a plain convolutional network. Two CPU cores train it on 60,000 digits in a minute per epoch.

Strided convolutions halve the map early, where there are many pixels; the widest layers see 4 x 4.

    ink 1x32x32 -> 24x32x32 -> 48x16x16 -> 48x16x16 -> 96x8x8 -> 96x8x8 -> 192x4x4 -> mean and maximum -> classes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from haleganada_server.core.models.presets import PRESET_FACTS

from .normalization import Normalize

_LAYERS = ((24, 1), (48, 2), (48, 1), (96, 2), (96, 1), (192, 2))
"""Channels out and stride of each convolution."""


class Cnn36(nn.Module):
    """(n, 1, side, side) -> logits (n, classes). Pooling makes the same of any side, best of 32 px."""

    def __init__(self, classes: int, side: int = PRESET_FACTS["cnn36"].preprocessing.side) -> None:
        super().__init__()
        self.side = side
        preprocessing = PRESET_FACTS["cnn36"].preprocessing
        self.normalize = Normalize(preprocessing)
        layers, channels = [], preprocessing.channels
        for width, stride in _LAYERS:
            layers.append(_build_convolution(channels, width, stride))
            channels = width
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.3)
        self.decoder = nn.Linear(2 * channels, classes)

    def forward(self, ink: Tensor) -> Tensor:
        maps: Tensor = self.layers(self.normalize(ink))  # (n, 192, 4, 4)
        pooled = torch.cat((maps.mean((2, 3)), maps.amax((2, 3))), dim=1)  # (n, 384)
        logits: Tensor = self.decoder(self.dropout(pooled))
        return logits


def _build_convolution(channels: int, width: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU())


def build(classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None) -> Cnn36:  # noqa: ARG001
    """Build a network with random weights. options: "side" of its input, 32 if absent. It has no backbone."""
    return Cnn36(classes, **options)
