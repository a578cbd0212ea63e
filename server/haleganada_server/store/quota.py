"""The bound on the disk that the whole data directory may take."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted

_MEASURED_FOR_S = 10.0


class DiskQuota:
    """Refuses what would make a folder larger than its bound. Safe from any thread."""

    def __init__(self, root: Path, max_bytes: int | None) -> None:
        """max_bytes: None = no bound; the folder is never measured then."""
        self._root, self._max_bytes = root, max_bytes
        self._lock = threading.Lock()
        self._used, self._measured_s = 0, -_MEASURED_FOR_S

    def usage(self) -> tuple[int, int] | None:
        """Return the bytes that the folder takes, as measured at most ten seconds ago, and those that it may take; None
        without a bound.
        """
        if self._max_bytes is None:
            return None
        with self._lock:
            self._measure(self._used)
            return self._used, self._max_bytes

    def require_room(self, needed: int = 0) -> None:
        """Raise Exhausted unless `needed` more bytes fit. The folder is measured at most every ten seconds; what was
        granted in between counts.
        """
        if self._max_bytes is None:
            return
        with self._lock:
            self._measure(self._used + needed)
            if self._used + needed >= self._max_bytes:
                raise Exhausted(
                    f"the server's data take {describe_bytes(self._used)} of the {describe_bytes(self._max_bytes)} "
                    "that it may use; delete snapshots, data sets, models or jobs, or start it with a larger "
                    "--data-quota, then repeat the call (nothing was half-written)",
                    Reason.QUOTA_EXCEEDED,
                    retry_after_s=30.0,
                )
            self._used += needed

    def _measure(self, expected: int) -> None:
        """Measure the folder again if that was long ago, or if what is expected in it would be too much."""
        assert self._max_bytes is not None
        if expected >= self._max_bytes or time.monotonic() >= self._measured_s + _MEASURED_FOR_S:
            self._used, self._measured_s = disk_usage([self._root]), time.monotonic()


def disk_usage(folders: Iterable[Path]) -> int:
    """Return the bytes of all files below some folders; a file with several names counts once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                try:
                    found = Path(parent, name).lstat()
                except FileNotFoundError:  # it was deleted meanwhile
                    continue
                if (found.st_dev, found.st_ino) not in seen:
                    seen.add((found.st_dev, found.st_ino))
                    total += found.st_size
    return total


def describe_bytes(count: int) -> str:
    """Return a size for people, such as “1.5 GB”."""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1000:.1f} kB"
