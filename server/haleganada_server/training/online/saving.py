"""When a checkpoint is worth what it costs: a small network's takes 4 MB and no time, a large one's 140 MB and a
second.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_RESTING_S, _LEARNING_S = 5.0, 60.0
"""Time spent learning that would be lost: so much makes a checkpoint when all is learned, so much at any moment."""
_SHARE = 20
"""A checkpoint takes at most one part in this many of the time spent learning."""


class Saving:
    """Counts what would have to be learned again. save: writes a checkpoint. Not safe from several threads."""

    def __init__(self, save: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._save, self._clock = save, clock
        self._unsaved_s = 0.0
        self._cost_s = 0.0  # of the last one

    def learned(self, seconds: float, left: int) -> None:
        """A sample was learned in that time; so many are left. Raises OSError as save does."""
        self._unsaved_s += seconds
        if self._unsaved_s >= max(_LEARNING_S if left else _RESTING_S, _SHARE * self._cost_s):
            self._write()

    def went_back(self) -> None:
        """What was learned since the last checkpoint is of no use any more."""
        self._unsaved_s = 0.0

    def leave(self) -> None:
        """Save now if that is quicker than to learn it again. Raises OSError as save does."""
        if self._unsaved_s > self._cost_s:
            self._write()

    def _write(self) -> None:
        began = self._clock()
        self._save()
        self._cost_s, self._unsaved_s = self._clock() - began, 0.0
