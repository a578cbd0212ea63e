"""Raster workers: processes that decode the pictures of a large data set, because the threads of one interpreter would
take turns, on however many cores, and calls would wait between them.

They are started for one data set, in the background, and end with it. They hold no state: whatever happens to one, the
server decodes its pictures itself. When the server is gone, their standard input ends, and so do they.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from haleganada_server.core.outcomes import Outcome

from .child_processes import leave_interrupts_to_server
from .raster_messages import DecodedPicture, Picture, pack_request, unpack_response
from .worker_process import WorkerProcess

COMMAND = (sys.executable, "-m", "haleganada_server.raster_worker")
_START_S, _RESPONSE_S = 30.0, 30.0
_log = logging.getLogger(__name__)


class RasterWorkers:
    """At most `count` workers. Leave its context when no thread uses it any longer."""

    def __init__(self, count: int, command: Sequence[str] = COMMAND) -> None:
        self._count, self._command = count, command
        self._lock = threading.Lock()  # guards everything below
        self._workers: set[WorkerProcess] = set()
        self._idle: list[WorkerProcess] = []
        self._starter: threading.Thread | None = None
        self._is_over = False

    def __enter__(self) -> RasterWorkers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        if self._starter is not None:
            self._starter.join()
        for worker in self._workers:
            worker.end()

    def start(self) -> None:
        """Start the workers in the background, unless that was done before."""
        if self._starter is None and self._count:
            self._starter = threading.Thread(target=self._start_all, name="raster-workers", daemon=True)
            self._starter.start()

    def decode(self, pictures: Sequence[Picture]) -> list[Outcome[DecodedPicture]] | None:
        """Decode small pictures; None if no worker can do it now. Safe from any thread."""
        worker = self._take()
        if worker is None:
            return None
        try:
            facts, payload = worker.request(pack_request(pictures))
        except (OSError, EOFError, ValueError) as error:
            self._discard(worker, error)
            return None
        with self._lock:
            worker.busy_since = None
            self._idle.append(worker)
        if "failed" in facts:
            _log.warning("a raster worker could not decode a picture: %s", facts["failed"])
            return None
        return unpack_response((facts, payload))

    def kill_silent(self) -> None:
        """Kill workers that have owed an answer for too long."""
        limit = time.monotonic() - _RESPONSE_S
        with self._lock:
            silent = [one for one in self._workers if one.busy_since is not None and one.busy_since < limit]
        for worker in silent:
            worker.kill()

    def kill(self) -> None:
        """Kill all workers, so that nobody waits for them; from now on decode() returns None."""
        with self._lock:
            self._is_over = True
            self._idle.clear()
            workers = list(self._workers)
        for worker in workers:
            worker.kill()

    def _take(self) -> WorkerProcess | None:
        with self._lock:
            if self._is_over or not self._idle:
                return None
            worker = self._idle.pop()
            worker.busy_since = time.monotonic()
            return worker

    def _discard(self, worker: WorkerProcess, error: Exception) -> None:
        with self._lock:
            self._workers.discard(worker)
            is_over = self._is_over
        worker.end()
        if not is_over:
            _log.warning("lost a raster worker (%s); the server decodes its pictures", error)

    def _start_all(self) -> None:
        leave_interrupts_to_server()
        for _ in range(self._count):
            if not self._start_one():
                return

    def _start_one(self) -> bool:
        """Start a worker and wait until it is ready; return whether another one may be started."""
        try:
            worker = WorkerProcess(self._command)
        except OSError as error:
            _log.warning("a raster worker could not be started (%s); the server decodes by itself", error)
            return False
        with self._lock:
            self._workers.add(worker)  # so that kill() ends the wait for its greeting
            is_over = self._is_over
        if is_over:
            worker.kill()
        try:
            worker.wait_ready(_START_S)
        except OSError as error:
            self._discard(worker, error)
            return False
        with self._lock:
            if not self._is_over:
                self._idle.append(worker)
            return not self._is_over
