"""One server for one data directory."""

from __future__ import annotations

import os
from pathlib import Path

from haleganada_server.core.errors import Precondition


class DirectoryLock:
    """Holds a lock on DIR/haleganada.lock for as long as the process lives or until release(); the kernel frees it
    then.
    """

    def __init__(self, directory: Path) -> None:
        """Raises Precondition if another process holds it."""
        path = directory / "haleganada.lock"
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._handle)
        except OSError:
            holder = os.read(self._handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._handle)
            raise Precondition(
                f"another server (process {holder}) uses this data directory; stop it, or choose another with --data",
                "DATA_DIRECTORY_LOCKED",
            ) from None
        os.truncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0) if hasattr(os, "pwrite") else None

    def release(self) -> None:
        """Let another server in."""
        os.close(self._handle)


def _lock(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
