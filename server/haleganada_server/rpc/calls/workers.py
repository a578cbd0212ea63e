"""How many calls are carried out at once, and how many may wait for that."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted

_RETRY_S = 0.5


class Workers:
    """Turns for calls that have arrived, in the order of their arrival. Safe from any thread."""

    def __init__(self, count: int, max_waiting: int) -> None:
        self._count, self._max_waiting = count, max_waiting
        self._lock = threading.Lock()
        self._busy = 0
        self._waiting: deque[threading.Lock] = deque()
        self._turn = _Turn(self)

    def require_room(self, count_arriving: Callable[[], int] = lambda: 0) -> None:
        """Raise Exhausted if another call would find too many waiting, those included that are about to arrive."""
        if self._busy >= self._count and len(self._waiting) + count_arriving() >= self._max_waiting:
            raise Exhausted(
                "more calls wait than the server can answer; repeat this one later", Reason.QUEUE_FULL, _RETRY_S
            )

    def load(self) -> tuple[int, int]:
        """Return how many calls have a turn, and how many wait for one."""
        return self._busy, len(self._waiting)

    def one(self) -> AbstractContextManager[None]:
        """Return a block that waits for a turn and has it. Entering it raises Exhausted if too many wait."""
        return self._turn

    def begin(self, *, always: bool = False) -> None:
        """Wait for a turn. always: even if too many wait. Raises Exhausted."""
        with self._lock:
            if self._busy < self._count:
                self._busy += 1
                return
            if not always:
                self.require_room()
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # released by whoever ends, and passes the turn on

    def end(self) -> None:
        """Pass the turn on."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._busy -= 1

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Within a turn: leave it to others for the block, which only waits for something."""
        self.end()
        try:
            yield
        finally:
            self.begin(always=True)  # it was let in already, so it is not refused


class _Turn:
    """What all calls have their turns within: it knows nothing of any of them."""

    __slots__ = ("_workers",)

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def __enter__(self) -> None:
        self._workers.begin()

    def __exit__(self, *_: object) -> None:
        self._workers.end()
