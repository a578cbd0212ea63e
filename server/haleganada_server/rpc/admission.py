"""Which calls a server accepts: none once it stops, none while too many wait, few transfers and watchers at a time.

A transfer holds its thread for as long as the client takes, and whoever watches a job for as long as the job takes.
With limits of their own, they cannot take the threads that everybody else needs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, Unavailable


class WorkerPool(ThreadPoolExecutor):
    """The threads that carry out calls, and how many calls wait for one."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers, thread_name_prefix="call")
        self._count = threading.Lock()
        self.waiting = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See concurrent.futures.Executor.submit."""
        with self._count:
            self.waiting += 1
        return super().submit(self._run, fn, *args, **kwargs)

    def _run(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with self._count:
            self.waiting -= 1
        return fn(*args, **kwargs)


class Admission:
    """Decides whether a call that has got its thread is carried out, and knows when all are done. Safe from any
    thread.
    """

    def __init__(self, pool: WorkerPool, max_waiting: int) -> None:
        self._pool = pool
        self._max_waiting = max_waiting
        self._changed = threading.Condition()
        self._in_progress = 0
        self._stopping = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """Admit a call for the block. Raises Unavailable when the server stops, Exhausted while too many wait."""
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def drain(self, grace_s: float) -> bool:
        """Refuse new calls. Return True once none is in progress, False if some still are after grace_s seconds."""
        with self._changed:
            self._stopping = True
            return self._changed.wait_for(lambda: self._in_progress == 0, grace_s)

    def _enter(self) -> None:
        with self._changed:
            if self._stopping:
                raise Unavailable("the server is stopping; repeat the call, with the same request_id it is safe")
            if self._pool.waiting > self._max_waiting:
                raise Exhausted(
                    "more calls wait than the server can answer; repeat this one later", Reason.QUEUE_FULL, 0.5
                )
            self._in_progress += 1

    def _leave(self) -> None:
        with self._changed:
            self._in_progress -= 1
            if self._stopping:
                self._changed.notify_all()


class _Slots:
    """Places for a few calls of one kind at a time."""

    def __init__(self, limit: int, refusal: str, reason: Reason) -> None:
        self._free = threading.BoundedSemaphore(limit)
        self._refusal, self._reason = refusal, reason

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place for the block. Raises Exhausted if there is none."""
        if not self._free.acquire(blocking=False):
            raise Exhausted(self._refusal, self._reason, 2.0)
        try:
            yield
        finally:
            self._free.release()


class TransferSlots(_Slots):
    """Places for a few transfers of files at a time."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            limit, "too many exports and imports are in progress; repeat the call later", Reason.TOO_MANY_TRANSFERS
        )


class WatchSlots(_Slots):
    """Places for a few watchers of jobs at a time."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, "too many watch jobs already; ask with GetJob now and then", Reason.TOO_MANY_WATCHERS)
