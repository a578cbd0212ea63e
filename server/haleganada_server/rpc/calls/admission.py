"""Whether the server still accepts calls, and whether all that it accepted are done."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager

from haleganada_server.core.errors import Unavailable


class Admission:
    """Counts the calls in progress, and admits no more once the server stops. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._in_progress = 0
        self._stopping = False
        self._cut_off = False
        self._admitted = _Admitted(self)

    def require_time(self) -> None:
        """Raise Unavailable once calls in progress are cut off."""
        if self._cut_off:
            raise Unavailable("the server stopped before this was done, so nothing of it was; repeat the call")

    def require_open(self) -> None:
        """Raise Unavailable once the server stops."""
        if self._stopping:
            raise Unavailable("the server is stopping; repeat the call, with the same request_id it is safe")

    def one(self) -> AbstractContextManager[None]:
        """Return a block that counts as a call. Entering it raises Unavailable once the server stops."""
        return self._admitted

    def enter(self) -> None:
        """Count a call in. Raises Unavailable once the server stops."""
        with self._lock:
            self.require_open()
            self._in_progress += 1

    def leave(self) -> None:
        """Count a call out."""
        with self._lock:
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


class _Admitted:
    """What all calls are counted within: it knows nothing of any of them."""

    __slots__ = ("_admission",)

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def __enter__(self) -> None:
        self._admission.enter()

    def __exit__(self, *_: object) -> None:
        self._admission.leave()
