"""Whether the server still accepts calls, and whether all that it accepted are done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from haleganada_server.core.errors import Unavailable


class Admission:
    """Counts the calls in progress, and admits no more once the server stops. Safe from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._in_progress = 0
        self._stopping = False
        self._cut_off = False

    def require_time(self) -> None:
        """Raise Unavailable once calls in progress are cut off."""
        if self._cut_off:
            raise Unavailable("the server stopped before this was done, so nothing of it was; repeat the call")

    def require_open(self) -> None:
        """Raise Unavailable once the server stops."""
        if self._stopping:
            raise Unavailable("the server is stopping; repeat the call, with the same request_id it is safe")

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count a call in for the block. Raises Unavailable once the server stops."""
        with self._changed:
            self.require_open()
            self._in_progress += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_progress -= 1
                if self._stopping:
                    self._changed.notify_all()

    def cut_off(self, grace_s: float) -> None:
        """Let calls end that ask for it between their steps, and wait for that for at most grace_s seconds."""
        self._cut_off = True
        self.drain(grace_s)

    def drain(self, grace_s: float) -> bool:
        """Refuse new calls. Return True once none is in progress, False if some still are after grace_s seconds."""
        with self._changed:
            self._stopping = True
            return self._changed.wait_for(lambda: self._in_progress == 0, grace_s)
