"""The model that predicts while learning goes on: one revision of a learner's knowledge, which never changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from haleganada_server.training.common.taught_drawing import Raster

from .networks import OnlineNetwork

_MICRO_BATCH = 32  # drawings, so that hundreds do not take gigabytes


@dataclass(frozen=True, eq=False)
class PublishedModel:
    """revision: of the log that was learned. labels: by column of the probabilities. Safe to use from any thread."""

    revision: int
    labels: tuple[str, ...]
    network: OnlineNetwork
    temperature: float

    @torch.inference_mode()
    def probabilities(self, rasters: Raster) -> NDArray[np.float64]:
        """(n, 64, 64) uint8 -> (n, labels), each row summing to 1; (n, 0) where nothing was learned."""
        if not self.labels or not len(rasters):
            return np.zeros((len(rasters), len(self.labels)))
        logits = [self._compute_logits(rasters[i : i + _MICRO_BATCH]) for i in range(0, len(rasters), _MICRO_BATCH)]
        return np.asarray((torch.cat(logits).double() / self.temperature).softmax(1).numpy())

    def _compute_logits(self, rasters: Raster) -> Tensor:
        features = torch.stack([self.network.compute_features(raster) for raster in rasters]).float()
        return self.network.compute_logits(features)[:, : len(self.labels)]


def publish(network: OnlineNetwork, labels: tuple[str, ...], revision: int, temperature: float) -> PublishedModel:
    """Copy a network as it is now, for prediction."""
    copied = network.copy()
    copied.module.requires_grad_(False).eval()
    return PublishedModel(revision, labels, copied, temperature)
