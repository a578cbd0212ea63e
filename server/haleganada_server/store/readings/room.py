"""The bound on the disk that readings and documents on their way take."""

from __future__ import annotations

import threading
from collections.abc import Callable

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.store.quota import describe_bytes


class ReadingRoom:
    """Counts bytes. Safe from any thread."""

    def __init__(self, max_bytes: int | None, require_room: Callable[[int], None]) -> None:
        """max_bytes: None = no bound. require_room: raises Exhausted if the disk may not take so many bytes more."""
        self._max_bytes, self._require_room = max_bytes, require_room
        self._lock = threading.Lock()
        self._used = 0

    def usage(self) -> tuple[int, int] | None:
        """Return the bytes that are counted, and those that may be; None without a bound."""
        return None if self._max_bytes is None else (self._used, self._max_bytes)

    def take(self, size: int) -> None:
        """Raise Exhausted unless so many bytes more fit; else count them until give_back."""
        self._require_room(size)
        with self._lock:
            if self._max_bytes is not None and self._used + size > self._max_bytes:
                raise Exhausted(
                    f"the readings that are kept take {describe_bytes(self._used)} of the "
                    f"{describe_bytes(self._max_bytes)} that they may use; delete some, wait until they expire, or "
                    "start the server with a larger --reading-quota, then repeat the call",
                    Reason.QUOTA_EXCEEDED,
                    retry_after_s=30.0,
                )
            self._used += size

    def count(self, size: int) -> None:
        """Count bytes that are on the disk already."""
        with self._lock:
            self._used += size

    def give_back(self, size: int) -> None:
        """Stop counting bytes."""
        with self._lock:
            self._used -= size
