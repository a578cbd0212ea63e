"""The smallest preset: three convolutions with pooling, and two dense layers.

ink 1x32x32 -> 32x16x16 -> 64x8x8 -> 128x4x4 -> 2048 -> 128 -> classes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from haleganada_server.core.models.presets import PRESET_FACTS

from .normalization import Normalize


class TinyCnn(nn.Module):
    """(n, 1, side, side) -> logits (n, classes)."""

    def __init__(self, classes: int, side: int = PRESET_FACTS["tiny-cnn"].preprocessing.side) -> None:
        super().__init__()
        preprocessing = PRESET_FACTS["tiny-cnn"].preprocessing
        smallest = side // 8
        self.layers = nn.Sequential(
            Normalize(preprocessing),
            *_build_convolution(preprocessing.channels, 32),
            *_build_convolution(32, 64),
            *_build_convolution(64, 128),
            nn.Flatten(),
            nn.Linear(128 * smallest**2, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
        )
        self.decoder = nn.Linear(128, classes)

    def forward(self, ink: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.layers(ink))
        return logits


def _build_convolution(channels: int, width: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)


def build(classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None) -> TinyCnn:  # noqa: ARG001
    """Build a network with random weights. options: "side" of its input, 32 if absent. It has no backbone."""
    return TinyCnn(classes, **options)
