"""Keeps the descriptors of all logs together below a limit.

A log that nobody reads or changes needs no open file: predictions come from memory. It therefore opens its connections
when it needs them, and closes them when other logs need theirs.
"""

from __future__ import annotations

import threading
from typing import Protocol

from haleganada_server.core.baton import without_baton

_MAX_LIMIT = 128
_SHARE = 8  # of the descriptors of the process, one of so many parts; calls, jobs and transfers need the others


def default_limit() -> int:
    """Return how many descriptors logs may hold in this process."""
    try:
        import resource
    except ImportError:  # Windows, where the number is not limited
        return _MAX_LIMIT
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MAX_LIMIT if allowed == resource.RLIM_INFINITY else max(1, min(_MAX_LIMIT, allowed // _SHARE))


class ReleasableLog(Protocol):
    """A log that may have open connections."""

    def count_files(self) -> int:
        """Return the number of descriptors that its connections hold. Never waits."""

    def release(self) -> None:
        """Close the connections that are not in use. Never waits for another thread."""


class OpenFiles:
    """The logs that have open connections. Safe from any thread."""

    def __init__(self, limit: int = _MAX_LIMIT) -> None:
        """limit: descriptors; more are open only while that many are in use."""
        self._limit = limit
        self._lock = threading.Lock()
        self._held: dict[ReleasableLog, int] = {}  # the least recently used first
        self._total = 0

    @property
    def total(self) -> int:
        """The number of descriptors that logs hold."""
        return self._total

    def note_use(self, log: ReleasableLog, *, changed: bool) -> None:
        """Note that a log is in use. changed: it has opened or closed connections; if the descriptors of all logs are
        too many then, others close theirs.
        """
        with self._lock:
            self._count(log)
            others = [other for other in self._held if other is not log] if self._total > self._limit else []
        for other in others if changed else ():
            with without_baton():  # who closes a log syncs it
                other.release()
            with self._lock:
                self._count(other, moves=False)
                if self._total <= self._limit:
                    break

    def _count(self, log: ReleasableLog, *, moves: bool = True) -> None:
        """Count a log's descriptors again; moves: it becomes the most recently used one."""
        held = log.count_files()
        self._total += held - self._held.get(log, 0)
        if moves or not held:
            self._held.pop(log, None)
        if held:
            self._held[log] = held
