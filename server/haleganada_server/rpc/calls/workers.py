"""How many calls are carried out at once, how many may wait for that, and who of them is next.

Callers share both. Of the waiting places, each caller who has calls there may have an equal part, so that who sends
much is refused while others still find a place. The next turn goes to the caller who has the fewest turns now, and
among those to the one whose last turn was longest ago: equal parts for all who always want more, and nothing is left
unused (max-min fairness; Bertsekas and Gallager, Data Networks, 1987, section 6.5).
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from haleganada_server.core.baton import without_baton
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted

_RETRY_S = 0.5
_MOST_WAITING = 2
"""Times as many as may wait: while one caller's part becomes smaller because others come, all have so many."""


def _nobody(caller: str) -> int:
    del caller
    return 0


class Workers:
    """Turns for calls that have arrived. Callers are told apart by their names. Safe from any thread."""

    def __init__(self, count: int, max_waiting: int) -> None:
        """count: turns at once. max_waiting: calls that may wait for one."""
        self._count, self._max_waiting = count, max_waiting
        self._lock = threading.Lock()
        self._busy = self._queued = 0
        self._working: dict[str, int] = {}
        self._waiting: dict[str, deque[threading.Lock]] = {}  # who was served last is at the end

    @property
    def are_busy(self) -> bool:
        """Whether another call would have to wait."""
        return self._busy >= self._count

    def require_room(self, caller: str, count_arriving: Callable[[str], int] = _nobody) -> None:
        """Raise Exhausted if another call of a caller would find its part of the waiting places taken; of somebody,
        which is "", if it would find all of them taken. count_arriving: returns how many of the caller's calls are
        about to arrive.
        """
        if self._busy < self._count:
            return
        own = (len(self._waiting.get(caller, ())) if caller else self._queued) + count_arriving(caller)
        part = self._part_of(caller) if caller else self._max_waiting
        if own >= part or self._queued >= _MOST_WAITING * self._max_waiting:
            raise Exhausted(
                "more calls wait than the server can answer, and yours take up your share; repeat this one later",
                Reason.QUEUE_FULL,
                _RETRY_S,
            )

    def load(self) -> tuple[int, int]:
        """Return how many calls have a turn, and how many wait for one."""
        return self._busy, self._queued

    def one(self, caller: str) -> AbstractContextManager[None]:
        """Return a block that waits for a turn and has it. Entering it raises Exhausted if too many wait."""
        return _Turn(self, caller)

    def begin(self, caller: str, *, always: bool = False) -> None:
        """Wait for a turn. always: even if too many wait. Raises Exhausted."""
        with self._lock:
            if self._busy < self._count:
                self._busy += 1
                self._working[caller] = self._working.get(caller, 0) + 1
                return
            if not always:
                self.require_room(caller)
            turn = threading.Lock()
            turn.acquire()
            self._waiting.setdefault(caller, deque()).append(turn)
            self._queued += 1
        with without_baton():
            turn.acquire()  # released by whoever ends, and passes the turn on

    def end(self, caller: str) -> None:
        """Pass the turn on."""
        with self._lock:
            left = self._working[caller] - 1
            if left:
                self._working[caller] = left
            else:
                del self._working[caller]
            if self._queued:
                self._pass_on()
            else:
                self._busy -= 1

    @contextmanager
    def pause(self, caller: str) -> Iterator[None]:
        """Within a turn: leave it to others for the block, which only waits for something."""
        self.end(caller)
        try:
            with without_baton():
                yield
        finally:
            self.begin(caller, always=True)  # it was let in already, so it is not refused

    def _pass_on(self) -> None:
        """Give the turn to whoever is next."""
        caller = min(self._waiting, key=lambda other: self._working.get(other, 0))  # the first of equals
        turns = self._waiting.pop(caller)
        self._working[caller] = self._working.get(caller, 0) + 1
        self._queued -= 1
        turns.popleft().release()
        if turns:
            self._waiting[caller] = turns

    def _part_of(self, caller: str) -> int:
        callers = len(self._waiting) + (caller not in self._waiting)
        return math.ceil(self._max_waiting / callers)


class _Turn:
    """A block of one call."""

    __slots__ = ("_caller", "_workers")

    def __init__(self, workers: Workers, caller: str) -> None:
        self._workers, self._caller = workers, caller

    def __enter__(self) -> None:
        self._workers.begin(self._caller)

    def __exit__(self, *_: object) -> None:
        self._workers.end(self._caller)
