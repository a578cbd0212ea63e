"""Which items make up which step: a function of (seed, epoch) alone, the same in every process and after every
break.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from haleganada_server.training.common.augment import mix_seed

_ORDER = 1
"""Sets the order's random numbers apart from those of the augmentation."""

Piece = NDArray[np.int64]
"""Positions in the training part that one process computes at once."""


@dataclass(frozen=True, slots=True)
class Order:
    """How an epoch over `items` drawings is divided into steps, and each of these among processes and in time.

    Steps, and the pieces of a step, are as equal as can be, so that there is no last batch of a single drawing, which
    would throw batch statistics off.
    """

    items: int
    batch_size: int
    accumulation: int = 1
    processes: int = 1

    @property
    def steps(self) -> int:
        """In an epoch."""
        return -(-self.items // (self.batch_size * self.accumulation * self.processes))

    def epoch(self, seed: int, epoch: int) -> list[list[Piece]]:
        """All items once in random order: for each step its pieces, at most batch_size items each.

        Piece p is the business of process p % processes; all have equally many.
        """
        generator = torch.Generator().manual_seed(mix_seed(seed, epoch, _ORDER))
        order = torch.randperm(self.items, generator=generator).numpy()
        return [np.array_split(step, self._pieces(len(step))) for step in np.array_split(order, self.steps)]

    def _pieces(self, items: int) -> int:
        return self.processes * -(-items // (self.processes * self.batch_size))
