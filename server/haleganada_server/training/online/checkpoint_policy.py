"""When a checkpoint is worth its cost: 4 MB and no time for a small network, 140 MB and a second for a large one."""

from __future__ import annotations

import time
from collections.abc import Callable

_IDLE_S, _BUSY_S = 5.0, 60.0
"""Unsaved seconds of learning after which a checkpoint is saved, when all is learned and at any time."""
_COST_RATIO = 20
"""Writing checkpoints takes at most one part in this many of the time spent learning."""


class CheckpointPolicy:
    """Tracks the unsaved time of learning. save: writes a checkpoint. For one thread at a time."""

    def __init__(self, save: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._save, self._clock = save, clock
        self._unsaved_s = 0.0
        self._cost_s = 0.0  # of the last checkpoint

    def record_learned(self, seconds: float, remaining: int) -> None:
        """Record that learning a sample took this long, and that so many remain. Raises OSError as save does."""
        self._unsaved_s += seconds
        if self._unsaved_s >= max(_BUSY_S if remaining else _IDLE_S, _COST_RATIO * self._cost_s):
            self._write()

    def record_rebuild(self) -> None:
        """Record that what was learned since the last checkpoint is of no use any more."""
        self._unsaved_s = 0.0

    def save_before_exit(self) -> None:
        """Save if that is quicker than learning again. Raises OSError as save does."""
        if self._unsaved_s > self._cost_s:
            self._write()

    def _write(self) -> None:
        start = self._clock()
        self._save()
        self._cost_s, self._unsaved_s = self._clock() - start, 0.0
