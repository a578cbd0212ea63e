"""Items of a data set -> the input of a network, in training exactly as in prediction."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from haleganada_server.core.datasets.dataset import DATASET_SIDE
from haleganada_server.vision import model_input

from .augment import augment


class InkInput:
    """Stored rasters -> ink of a network's side, augmented or not; one conversion and at most one sampling each.

    Drawings are augmented as they are stored and resized then, so that both steps see all there is.
    """

    def __init__(self, side: int, device: torch.device) -> None:
        self.device = device
        self._weights = torch.from_numpy(_axis_weights(side)).to(device) if side != DATASET_SIDE else None

    def __call__(self, rasters: NDArray[np.uint8], drawn: Tensor | None = None) -> Tensor:
        """(n, 64, 64) uint8 -> (n, 1, side, side) float32 in 0..1. drawn: as of augment(); None leaves them plain."""
        ink = torch.from_numpy(rasters).to(self.device, non_blocking=True).unsqueeze(1).float().div_(255)
        if drawn is not None:
            ink = augment(ink, drawn.to(self.device, non_blocking=True))
        return ink if self._weights is None else self._weights @ ink @ self._weights.T


def _axis_weights(side: int) -> NDArray[np.float32]:
    """(side, 64): what each new pixel takes from the old ones along one axis, read off what model_input does."""
    columns = np.repeat(255 * np.eye(DATASET_SIDE, dtype=np.uint8)[:, None], DATASET_SIDE, axis=1)
    return np.ascontiguousarray(model_input(columns, side)[:, 0, 0].T)
