"""The classic recognizer of words of 32 x 128 px, layer by layer as tutorials of CRNN have it (Shi et al. 2015).

line 1x32x128 -> 32x16x64 -> 64x8x32 -> 128x4x32 -> 128x2x32 -> 256x2x32 -> 32 steps of 512 -> LSTM 2x128
-> LSTM 2x64 -> symbols + 1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

STRIDE = 4
"""px of a line's width for each step."""


class Crnn32x128(nn.Module):
    """(n, 1, 32, 128) in 0..1, 1 = paper -> logits (n, 32, symbols + 1); the first is for no symbol."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(), nn.MaxPool2d((2, 1)),
            nn.Conv2d(128, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU(), nn.MaxPool2d((2, 1)),
            nn.Conv2d(128, 256, 3, padding=1), nn.BatchNorm2d(256), nn.ReLU(), nn.Dropout(0.25),
        )  # fmt: skip
        self.first = nn.LSTM(2 * 256, 128, bidirectional=True, batch_first=True)
        self.second = nn.LSTM(2 * 128, 64, bidirectional=True, batch_first=True)
        self.decoder = nn.Linear(2 * 64, classes)

    def forward(self, line: Tensor) -> Tensor:
        maps = self.layers(1 - line)  # (n, 256, 2, 32)
        with torch.autocast(maps.device.type, enabled=False):  # LSTMs are slower in 16 bits
            states, _ = self.first(maps.flatten(1, 2).transpose(1, 2).float())
            logits: Tensor = self.decoder(self.second(states)[0])
        return logits

    def forward_training(self, line: Tensor) -> tuple[Tensor, ...]:
        """Return the logits."""
        return (self(line),)


def build(
    classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None  # noqa: ARG001
) -> Crnn32x128:  # fmt: skip
    """Build a network with random weights. It has no options and no backbone."""
    return Crnn32x128(classes)
