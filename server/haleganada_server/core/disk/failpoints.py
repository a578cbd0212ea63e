"""Named points between the steps of a change on disk, at which tests kill the process or make the disk fail.

HALEGANADA_FAILPOINTS names them, separated by commas: `replace.linked` kills this process there as kill -9 does,
`replace.linked=3` when it is reached for the third time, and `replace.linked:error=EIO` raises that OSError each time.
Without the variable a point costs one look at an empty dict.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable

VARIABLE = "HALEGANADA_FAILPOINTS"


class _Failpoint:
    """What happens at one point."""

    def __init__(self, rule: str) -> None:
        """Parse NAME, NAME=N or NAME:error=CODE. Raises ValueError."""
        name, _, code = rule.partition(":error=")
        self.name, _, number = name.partition("=")
        self._remaining = int(number or 1)
        self._error: int | None = getattr(errno, code) if code else None
        self._counting = threading.Lock()

    def trip(self) -> None:
        """Kill the process, or raise the error."""
        if self._error is not None:
            raise OSError(self._error, os.strerror(self._error))
        with self._counting:
            self._remaining -= 1
            if self._remaining == 0:
                kill_process()


def kill_process() -> None:
    """End this process at once: no handler runs, nothing is flushed."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


_points: dict[str, Callable[[], None]] = {}


def arm(rules: str) -> None:
    """Obey these rules, written as in the variable, and no others from now on. Raises ValueError."""
    _points.clear()
    for rule in rules.split(","):
        if rule.strip():
            point = _Failpoint(rule.strip())
            _points[point.name] = point.trip


arm(os.environ.get(VARIABLE, ""))


def reach(name: str) -> None:
    """Do what HALEGANADA_FAILPOINTS demands at this point; nothing without it. Raises OSError if it demands one."""
    if _points and (trip := _points.get(name)) is not None:
        trip()
