"""Turn items of a data set into the input of a network, in training exactly as in prediction."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from haleganada_server.core.datasets.dataset import DATASET_SIDE
from haleganada_server.vision import model_input

from .augment import USUAL, Strengths, augment


class InkInput:
    """Convert stored rasters to ink of a network's side, augmented or not.

    Augmentation comes before resizing, so that both steps see the full resolution.
    """

    def __init__(self, side: int, device: torch.device, strengths: Strengths = USUAL) -> None:
        """strengths: of the augmentation."""
        self.device, self._strengths = device, strengths
        self._weights = torch.from_numpy(_axis_weights(side)).to(device) if side != DATASET_SIDE else None

    def __call__(self, rasters: NDArray[np.uint8], numbers: Tensor | None = None) -> Tensor:
        """Convert (n, 64, 64) uint8 to (n, 1, side, side) float32 in 0..1. numbers: see augment(), or None."""
        ink = torch.from_numpy(rasters).to(self.device, non_blocking=True).unsqueeze(1).float().div_(255)
        if numbers is not None:
            ink = augment(ink, numbers.to(self.device, non_blocking=True), self._strengths)
        return ink if self._weights is None else self._weights @ ink @ self._weights.T


def _axis_weights(side: int) -> NDArray[np.float32]:
    """Return the weight of each old pixel in each new one along one axis, (side, 64), as model_input resizes."""
    columns = np.repeat(255 * np.eye(DATASET_SIDE, dtype=np.uint8)[:, None], DATASET_SIDE, axis=1)
    return np.ascontiguousarray(model_input(columns, side)[:, 0, 0].T)
