"""What a learner shows to those who ask: one revision of its knowledge, which never changes again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from haleganada_server.training.common.taught_drawing import Raster

from .networks import Learnable

_PIECE = 32  # drawings at once, so that hundreds take no gigabyte


@dataclass(frozen=True, eq=False)
class Published:
    """revision: of the log that was learned. labels: by column of the probabilities. Safe to ask from any thread."""

    revision: int
    labels: tuple[str, ...]
    learnable: Learnable
    temperature: float

    @torch.inference_mode()
    def probabilities(self, rasters: Raster) -> NDArray[np.float64]:
        """(n, 64, 64) uint8 -> (n, labels), each row summing to 1; (n, 0) where nothing was learned."""
        if not self.labels or not len(rasters):
            return np.zeros((len(rasters), len(self.labels)))
        pieces = [self._logits(rasters[i : i + _PIECE]) for i in range(0, len(rasters), _PIECE)]
        return np.asarray((torch.cat(pieces).double() / self.temperature).softmax(1).numpy())

    def _logits(self, rasters: Raster) -> Tensor:
        features = torch.stack([self.learnable.features(raster) for raster in rasters]).float()
        return self.learnable.logits(features)[:, : len(self.labels)]


def publish(learnable: Learnable, labels: tuple[str, ...], revision: int, temperature: float) -> Published:
    """A copy of the present state that answers."""
    copied = learnable.copy()
    copied.network.requires_grad_(False).eval()
    return Published(revision, labels, copied, temperature)
