"""How the learning rate changes, as a share of the highest one."""

from __future__ import annotations

import math
from dataclasses import dataclass

FACTOR = 0.5
PATIENCE = 5
"""Epochs without a better loss after which the rate is halved."""


def cosine(step: int, steps_in_epoch: int, epochs: int) -> float:
    """Rises linearly over the first epoch, then falls along half a cosine to 0. step: of the whole training, from 0."""
    total = steps_in_epoch * epochs
    warm = steps_in_epoch if epochs > 1 else max(1, total // 10)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


@dataclass
class Plateau:
    """Halves the share when the loss no longer falls. All of it is in its fields, which a checkpoint keeps."""

    share: float = 1.0
    best: float = math.inf
    waited: int = 0

    def heed(self, loss: float) -> None:
        """Take note of an epoch's loss."""
        if loss < self.best:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited >= PATIENCE:
            self.share, self.waited = self.share * FACTOR, 0
