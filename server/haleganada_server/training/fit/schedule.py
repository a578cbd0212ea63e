"""Learning rate schedules: what the highest rate is multiplied by."""

from __future__ import annotations

import math
from dataclasses import dataclass

DECAY = 0.5
PATIENCE = 5
"""Epochs without a lower loss after which the rate is halved."""


def compute_cosine_factor(step: int, steps_per_epoch: int, epochs: int) -> float:
    """Rise linearly over the first epoch, then fall along half a cosine to 0. step: of the whole training, from 0."""
    total = steps_per_epoch * epochs
    warmup = steps_per_epoch if epochs > 1 else max(1, total // 10)
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


@dataclass
class Plateau:
    """Halves its factor when the loss stops falling. A checkpoint keeps its fields, which are its whole state."""

    factor: float = 1.0
    best_loss: float = math.inf
    epochs_waited: int = 0

    def update(self, loss: float) -> None:
        """Take the loss of one more epoch into account."""
        if loss < self.best_loss:
            self.best_loss, self.epochs_waited = loss, 0
            return
        self.epochs_waited += 1
        if self.epochs_waited >= PATIENCE:
            self.factor, self.epochs_waited = self.factor * DECAY, 0
