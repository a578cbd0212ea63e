"""How lines are divided into epochs and batches, and made into tensors.

An epoch of a large data set is a part of a pass over it, so that checkpoints and measurements come every few minutes.
Lines of similar width make a batch, because the narrower ones are filled up with paper. All follows from (seed, epoch).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from haleganada_server.training.common.augment import mix_seed

MOST_IN_EPOCH = 2_000
"""Lines."""

_ORDER_STREAM = 2
_POOL = 16  # batches, among which lines are sorted by width
_STEP = 16  # px, of which widths are multiples


@dataclass(frozen=True)
class LineSampler:
    """lines: to draw from. widths: of each, in any unit. batch_size: lines in a step."""

    lines: NDArray[np.int64]
    widths: NDArray[np.float64]
    batch_size: int
    seed: int

    @cached_property
    def epochs_per_pass(self) -> int:
        """Return into how many epochs a pass over all lines is divided."""
        return -(-len(self.lines) // MOST_IN_EPOCH)

    @property
    def steps_per_epoch(self) -> int:
        return max(len(self._divide(self._take(epoch), epoch)) for epoch in range(1, self.epochs_per_pass + 1))

    def sample_epoch(self, epoch: int) -> list[NDArray[np.int64]]:
        """Return the batches of an epoch, from 1 on, in random order; each has lines of similar width."""
        return [self.lines[places] for places in self._divide(self._take(epoch), epoch)]

    def _take(self, epoch: int) -> NDArray[np.int64]:
        number, place = divmod(epoch - 1, self.epochs_per_pass)
        rng = np.random.default_rng(mix_seed(self.seed, number, _ORDER_STREAM))
        return np.array_split(rng.permutation(len(self.lines)), self.epochs_per_pass)[place]

    def _divide(self, places: NDArray[np.int64], epoch: int) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng(mix_seed(self.seed, epoch, _ORDER_STREAM))
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(places), self.batch_size * _POOL):
            pool = places[start : start + self.batch_size * _POOL]
            ordered = pool[np.argsort(self.widths[pool], kind="stable")]
            batches += np.array_split(ordered, -(-len(ordered) // self.batch_size))
        return [batches[i] for i in rng.permutation(len(batches))]


def stack_lines(lines: Sequence[NDArray[np.float32]]) -> Tensor:
    """Return lines of one height as a batch, (n, 1, height, width), with paper behind the shorter ones."""
    width = max(line.shape[1] for line in lines)
    width += -width % _STEP
    batch = np.ones((len(lines), 1, lines[0].shape[0], width), np.float32)
    for row, line in zip(batch, lines, strict=True):
        row[0, :, : line.shape[1]] = line
    return torch.from_numpy(batch)
