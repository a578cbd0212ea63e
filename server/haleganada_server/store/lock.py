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
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(handle)
        except OSError:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise Precondition(
                f"another server (process {holder}) uses this data directory; stop it, or choose another with --data",
                "DATA_DIRECTORY_LOCKED",
            ) from None
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())  # for the message above, in the other process
        self._handle: int | None = handle

    def release(self) -> None:
        """Let another server in. A second time does nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _lock(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
