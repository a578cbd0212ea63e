"""How drawings are divided into steps and micro-batches: by (seed, epoch) alone, so that every process, and a resumed
training, divides them in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from haleganada_server.training.common.augment import mix_seed

_ORDER_STREAM = 1
"""Keeps the random numbers of the order apart from those of the augmentation."""

MicroBatch = NDArray[np.int64]
"""Positions in the training part that one process computes at once."""


@dataclass(frozen=True, slots=True)
class BatchSampler:
    """Divides an epoch over `items` drawings into steps, and each step among processes and micro-batches.

    Steps, and the micro-batches of a step, are as equal in size as possible. A last batch of a single drawing would
    spoil batch statistics.
    """

    items: int
    batch_size: int
    accumulation: int = 1
    processes: int = 1

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.items // (self.batch_size * self.accumulation * self.processes))

    def sample_epoch(self, seed: int, epoch: int) -> list[list[MicroBatch]]:
        """Return all items once, in random order: for each step its micro-batches of at most batch_size items.

        Micro-batch m belongs to process m % processes; each process has equally many.
        """
        generator = torch.Generator().manual_seed(mix_seed(seed, epoch, _ORDER_STREAM))
        order = torch.randperm(self.items, generator=generator).numpy()
        steps = np.array_split(order, self.steps_per_epoch)
        at_once = self.processes * self.batch_size
        return [np.array_split(step, self.processes * -(-len(step) // at_once)) for step in steps]
