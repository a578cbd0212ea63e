"""Encoder workers: processes that encode drawings beside the server, because under many concurrent calls the threads of
one interpreter would wait for each other.

They start on first use, one by one and in the background, and end when they have been idle for a while. They hold no
state, so ending one means killing it. Whatever happens to a worker, the server encodes its micro-batch instead: callers
never notice. When the server is gone, for whatever reason, the workers' standard input ends, and so do they.

They stay in the server's session, so that the scheduler weighs them like the server's own threads.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from haleganada_server.core.glyphs.ports import EncodedGlyph
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.outcomes import Outcome

from .child_processes import leave_interrupts_to_server, usable_cores
from .encoder_messages import pack_request, unpack_response
from .worker_process import WorkerProcess

_MODULE = "haleganada_server.encoder_worker"
_MAX_DEFAULT_WORKERS = 8
_TICK_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTimeouts:
    """Seconds. idle: until workers that nobody uses are ended. response: until a worker that does not answer is killed.
    start: until a worker that does not become ready is killed. restart: the longest pause after a failed start; the
    first pauses are shorter.
    """

    idle: float = 60.0
    response: float = 10.0
    start: float = 30.0
    restart: float = 60.0


def default_worker_count() -> int:
    """Return one worker per core, up to 8; none on a single core."""
    cores = usable_cores()
    return min(cores, _MAX_DEFAULT_WORKERS) if cores > 1 else 0


class EncoderPool:
    """core.glyphs.ports.BatchEncoder by `count` worker processes. close() it once."""

    def __init__(self, weights: Path, count: int, timeouts: PoolTimeouts = PoolTimeouts()) -> None:
        """weights: a checked weights folder."""
        self._command = (sys.executable, "-m", _MODULE, str(weights.absolute()))
        self.count = count
        self._timeouts = timeouts
        self._lock = threading.Lock()  # guards everything below
        self._ready: set[WorkerProcess] = set()  # idle and busy ones
        self._idle: list[WorkerProcess] = []  # the most recently used last
        self._callers: deque[SimpleQueue[WorkerProcess | None]] = deque()  # waiting for a worker, in order of arrival
        self._supervisor: threading.Thread | None = None
        self._last_request = 0.0  # monotonic clock
        self._closed = threading.Event()

    def encode(self, glyphs: Sequence[Glyph]) -> list[Outcome[EncodedGlyph]] | None:
        worker = self._acquire()
        if worker is None:
            return None
        try:
            response = worker.request(pack_request(glyphs))
        except (OSError, EOFError, ValueError) as error:
            self._discard(worker, error)
            return None
        self._release(worker)
        if "failed" in response[0]:
            _log.warning("an encoder worker could not encode a drawing: %s", response[0]["failed"])
            return None
        return unpack_response(response)

    def close(self) -> None:
        """End all workers; from now on encode() returns None."""
        with self._lock:
            self._closed.set()
            workers = self._remove_all()
        for worker in workers:
            worker.end()

    def _acquire(self) -> WorkerProcess | None:
        """Wait for an idle worker and return it; None if no worker is ready."""
        with self._lock:
            self._last_request = time.monotonic()
            if self._supervisor is None and not self._closed.is_set():
                self._supervisor = threading.Thread(target=self._supervise, name="encoder-pool", daemon=True)
                self._supervisor.start()
            if not self._ready:
                return None
            if self._idle:
                worker = self._idle.pop()
                worker.busy_since = time.monotonic()
                return worker
            handover: SimpleQueue[WorkerProcess | None] = SimpleQueue()
            self._callers.append(handover)
        return handover.get()

    def _release(self, worker: WorkerProcess) -> None:
        with self._lock:
            if worker in self._ready:
                self._hand_over(worker)

    def _hand_over(self, worker: WorkerProcess) -> None:
        """Give a worker to the caller that has waited longest. Otherwise a caller that comes at the right moment could
        overtake others again and again.
        """
        if self._callers:
            worker.busy_since = time.monotonic()
            self._callers.popleft().put(worker)
        else:
            worker.busy_since = None
            self._idle.append(worker)

    def _dismiss_callers(self) -> None:
        """Tell waiting callers that no worker is left."""
        while self._callers:
            self._callers.popleft().put(None)

    def _remove_all(self) -> set[WorkerProcess]:
        """Empty the pool and return its workers, which the caller ends."""
        workers, self._ready = self._ready, set()
        self._idle.clear()
        self._dismiss_callers()
        return workers

    def _discard(self, worker: WorkerProcess, error: Exception) -> None:
        """End a worker that has exited, was killed for its silence, or sent something unreadable."""
        with self._lock:
            self._ready.discard(worker)
            if not self._ready:
                self._dismiss_callers()
            closed = self._closed.is_set()
        worker.end()
        if not closed:
            _log.warning("lost an encoder worker (%s); the server encodes by itself until another is ready", error)

    def _supervise(self) -> None:
        """Start, watch and end workers until they have been idle for long enough."""
        leave_interrupts_to_server()
        next_start, pause = 0.0, _TICK_S
        while not self._end_if_idle():
            self._kill_unresponsive()
            while self._is_incomplete() and time.monotonic() >= next_start:
                if self._start_worker():
                    pause = _TICK_S
                else:
                    next_start = time.monotonic() + pause
                    pause = min(2 * pause, self._timeouts.restart)
            if self._closed.wait(_TICK_S):
                return

    def _is_incomplete(self) -> bool:
        with self._lock:
            return not self._closed.is_set() and len(self._ready) < self.count

    def _kill_unresponsive(self) -> None:
        """Kill workers that have owed an answer for too long; their callers then read the end of their output."""
        with self._lock:
            limit = time.monotonic() - self._timeouts.response
            silent = [worker for worker in self._ready if worker.busy_since is not None and worker.busy_since < limit]
        for worker in silent:
            _log.warning("killed an encoder worker that did not answer for %g s", self._timeouts.response)
            worker.kill()

    def _end_if_idle(self) -> bool:
        """End all workers if nobody has asked for a while, and return whether that was so."""
        with self._lock:
            if time.monotonic() - self._last_request < self._timeouts.idle or len(self._idle) < len(self._ready):
                return False
            workers = self._remove_all()
            self._supervisor = None
        for worker in workers:
            worker.end()
        return True

    def _start_worker(self) -> bool:
        """Start a worker, wait until it is ready, and return whether it became ready."""
        try:
            worker = WorkerProcess(self._command)
            worker.wait_ready(self._timeouts.start)
        except OSError as error:
            _log.warning("an encoder worker could not be started (%s); the server encodes by itself", error)
            return False
        with self._lock:
            closed = self._closed.is_set()
            if not closed:
                self._ready.add(worker)
                self._hand_over(worker)
        if closed:
            worker.end()
        return True
