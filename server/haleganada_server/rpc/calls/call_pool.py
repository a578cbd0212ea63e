"""The threads that calls of one kind run on, and which calls there are.

A thread costs little while it waits, so there is one for each call that is let in: a caller who is slow to send holds a
thread, never the turn of somebody who has sent everything.

The set of open calls has no lock, because each call pays for it twice and all of its operations are single steps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc


class OpenCall:
    """A call from its beginning to its end. since: when it began, or began to wait for its message, monotonic clock.
    has_arrived: whether the message is here. waiting: the context of a call that waits for it. peer: who calls, once
    somebody had to know.
    """

    __slots__ = ("has_arrived", "peer", "since", "waiting")

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.has_arrived = False
        self.waiting: grpc.ServicerContext | None = None
        self.peer = ""


class CallPool(ThreadPoolExecutor):
    """Threads for calls of one kind, as many as there may be calls."""

    def __init__(self, limit: int, name: str) -> None:
        super().__init__(limit, thread_name_prefix=name)
        self._limit = limit
        self._open: set[OpenCall] = set()
        self._own = threading.local()

    @property
    def is_full(self) -> bool:
        """Whether another call would have to wait for a thread."""
        return len(self._open) >= self._limit

    @property
    def count(self) -> int:
        """How many calls there are."""
        return len(self._open)

    @property
    def own_call(self) -> OpenCall:
        """The call that this thread carries out."""
        call: OpenCall = self._own.call
        return call

    def list_calls(self) -> list[OpenCall]:
        """Return all calls, in no order."""
        return list(self._open)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See concurrent.futures.Executor.submit."""
        call = OpenCall()
        self._open.add(call)
        return super().submit(self._run, call, fn, *args, **kwargs)

    def _run(self, call: OpenCall, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._own.call = call
        try:
            return fn(*args, **kwargs)
        finally:
            self._open.discard(call)


class InlinePool(ThreadPoolExecutor):
    """Runs a call at once in the thread that hands it over, which is gRPC's own: for what needs no time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See concurrent.futures.Executor.submit."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done
