"""The first layer of every preset: from ink to the input that the network was made for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from haleganada_server.core.models.card import Preprocessing


class Normalize(nn.Module):
    """(n, 1, side, side) in 0..1, 1 = ink -> (n, channels, side, side). Has no weights: model.json describes it."""

    mean: Tensor
    std: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.channels, self.dark_ink = preprocessing.channels, preprocessing.dark_ink
        for name, values in (("mean", preprocessing.mean), ("std", preprocessing.std)):
            self.register_buffer(name, torch.tensor(values).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, ink: Tensor) -> Tensor:
        values = 1 - ink if self.dark_ink else ink
        return (values.expand(-1, self.channels, -1, -1) - self.mean) / self.std
