"""How many calls are carried out at once, how many may wait for that, and the threads that all of them run on.

A thread costs little while it waits, so there is one for each call that is let in: a caller who is slow to send holds a
thread, never the turn of somebody who has sent everything.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted

_RETRY_S = 0.5
_FRESH_S = 0.25


class _Arrival:
    """When a call began, and whether it still counts as fresh."""

    __slots__ = ("is_settled", "time")

    def __init__(self) -> None:
        self.time = time.monotonic()
        self.is_settled = False


class CallPool(ThreadPoolExecutor):
    """Threads for calls of one kind, as many as there may be calls."""

    def __init__(self, limit: int, name: str) -> None:
        super().__init__(limit, thread_name_prefix=name)
        self._limit = limit
        self._count = threading.Lock()
        self._open = 0
        self._arriving: deque[_Arrival] = deque()
        self._fresh = 0
        self._own = threading.local()

    @property
    def is_full(self) -> bool:
        """Whether another call would have to wait for a thread."""
        return self._open >= self._limit

    def count_fresh(self) -> int:
        """Return how many calls have begun a moment ago and not arrived yet, most of which soon will."""
        with self._count:
            before = time.monotonic() - _FRESH_S
            while self._arriving and (self._arriving[0].is_settled or self._arriving[0].time < before):
                self._settle(self._arriving.popleft())
            return self._fresh

    def note_arrival(self) -> None:
        """The message of the call in this thread is here."""
        with self._count:
            self._settle(self._own.arrival)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See concurrent.futures.Executor.submit."""
        arrival = _Arrival()
        with self._count:
            self._open += 1
            self._fresh += 1
            self._arriving.append(arrival)
        return super().submit(self._run, arrival, fn, *args, **kwargs)

    def _run(self, arrival: _Arrival, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._own.arrival = arrival
        try:
            return fn(*args, **kwargs)
        finally:
            with self._count:
                self._open -= 1
                self._settle(arrival)

    def _settle(self, arrival: _Arrival) -> None:
        self._fresh -= not arrival.is_settled
        arrival.is_settled = True


class InlinePool(ThreadPoolExecutor):
    """Runs a call at once in the thread that hands it over, which is gRPC's own: for what needs no time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See concurrent.futures.Executor.submit."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Workers:
    """Turns for calls that have arrived, in the order of their arrival. Safe from any thread."""

    def __init__(self, count: int, max_waiting: int) -> None:
        self._count, self._max_waiting = count, max_waiting
        self._lock = threading.Lock()
        self._busy = 0
        self._waiting: deque[threading.Lock] = deque()

    def require_room(self, arriving: int = 0) -> None:
        """Raise Exhausted if another call would find too many waiting, those included that are about to arrive."""
        if self._busy >= self._count and len(self._waiting) + arriving >= self._max_waiting:
            raise Exhausted(
                "more calls wait than the server can answer; repeat this one later", Reason.QUEUE_FULL, _RETRY_S
            )

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a turn, and have it for the block. Raises Exhausted if too many wait."""
        self._begin()
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Within a turn: leave it to others for the block, which only waits for something."""
        self._end()
        try:
            yield
        finally:
            self._begin(always=True)  # it was let in already, so it is not refused

    def _begin(self, *, always: bool = False) -> None:
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

    def _end(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._busy -= 1
