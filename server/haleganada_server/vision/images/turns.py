"""Large pictures take turns: one is decoded at a time, whoever sent it.

A picture of 16 megapixels takes a hundred megabytes and half a second. One thread for all of them bounds the memory of
the whole server, keeps what the allocator retains in one place, and leaves the other cores to small drawings, which
never wait here. Callers are served in the order in which each asks for its next picture, so that a batch of large
pictures delays another caller's photo by one picture, not by the batch.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TypeVar

from haleganada_server.core.baton import without_baton
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.outcomes import Outcome, raise_if_error, strip_traceback

T = TypeVar("T")

_POLL_S = 0.1  # how soon a caller that is gone leaves the queue
_NICENESS = 5  # of the thread: the scheduler prefers everybody else


class Turns:
    """One thread that carries out pieces of work one at a time. Safe from any thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "large-picture", _prefer_others)

    def take(self, work: Callable[[], T], cancellation: Cancellation = NEVER) -> T:
        """Return what `work` returns, or raise its error. Raises Cancelled or DeadlineExceeded if the caller gives up
        before its turn, or while it lasts.
        """
        return raise_if_error(self._take(work, cancellation))

    def _take(self, work: Callable[[], T], cancellation: Cancellation) -> Outcome[T]:
        """Wait for the outcome. Raising it here, where the future is, would make a cycle that keeps the picture."""
        future = self._thread.submit(_attempt, work, cancellation)
        with without_baton():
            while not wait([future], _POLL_S).done:
                try:
                    cancellation.check()
                except HaleganadaError:
                    future.cancel()
                    raise
        return future.result()


def _attempt(work: Callable[[], T], cancellation: Cancellation) -> Outcome[T]:
    """Return an error as a value: raised through the future, it would keep the picture during the next turn."""
    try:
        cancellation.check()
        return work()
    except HaleganadaError as error:
        return strip_traceback(error)


def _prefer_others() -> None:
    """Lower the priority of this thread. Only Linux has one for each thread."""
    if hasattr(os, "sched_getaffinity"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


LARGE_PICTURE_TURNS = Turns()
"""Of this process."""
