"""For lines of any length: a convolutional network that halves the height to nothing, two bidirectional LSTMs, CTC.

Besides, a single convolution reads the features without the LSTMs. It is there in training only, where it shows the
convolutions a shorter way to the text (Retsinas et al. 2022, “Best practices for a handwritten text recognition
system”).

    line 1x48xW -> 32x24xW/2 -> 64x12xW/4 -> 128x6xW/4 -> 192x3xW/4 -> 256x1xW/4 -> LSTM -> symbols + 1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

_LAYERS = ((32, (2, 2)), (64, (2, 2)), (128, (2, 1)), (192, (2, 1)), (256, (3, 1)))
"""Channels out, and by what height and width are divided."""
_HIDDEN = 192
STRIDE = 4
"""px of a line's width for each step."""


class Crnn(nn.Module):
    """(n, 1, 48, width) in 0..1, 1 = paper -> logits (n, width / 4, symbols + 1); the first is for no symbol."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width, pool in _LAYERS:
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            layers.append(nn.MaxPool2d(pool, pool))
            channels = width
        self.layers = nn.Sequential(*layers)
        self.recurrent = nn.LSTM(channels, _HIDDEN, 2, bidirectional=True, batch_first=True, dropout=0.2)
        self.dropout = nn.Dropout(0.2)
        self.decoder = nn.Linear(2 * _HIDDEN, classes)
        self.shortcut = nn.Conv1d(channels, classes, 3, padding=1)

    def forward(self, line: Tensor) -> Tensor:
        return self._read(self._look(line))

    def forward_training(self, line: Tensor) -> tuple[Tensor, ...]:
        """Return the logits, and those of the shortcut."""
        maps = self._look(line)
        return self._read(maps), self.shortcut(maps).transpose(1, 2)

    def _look(self, line: Tensor) -> Tensor:
        """Return features, (n, 256, width / 4)."""
        maps: Tensor = self.layers(1 - line)  # ink is 1, and the padding is paper
        return maps.squeeze(2)

    def _read(self, maps: Tensor) -> Tensor:
        with torch.autocast(maps.device.type, enabled=False):  # LSTMs are slower in 16 bits
            states, _ = self.recurrent(maps.transpose(1, 2).float())
            logits: Tensor = self.decoder(self.dropout(states))
        return logits


def build(classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None) -> Crnn:  # noqa: ARG001
    """Build a network with random weights. It has no options and no backbone."""
    return Crnn(classes)
