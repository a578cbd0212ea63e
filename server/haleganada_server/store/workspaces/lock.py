"""Ensures that only one server uses a data directory."""

from __future__ import annotations

import os
from pathlib import Path

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

_LOCKED_BYTE = 1 << 20  # Windows: a locked byte cannot be read, so it is far behind the process id


class DirectoryLock:
    """A lock on DIR/haleganada.lock, held until release() or the end of the process, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the lock. Raises Precondition if another process holds it."""
        self._handle = os.open(directory / "haleganada.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._handle)
        except OSError as error:
            holder = os.read(self._handle, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._handle)
            raise _lock_error(error, holder) from None
        os.truncate(self._handle, 0)
        os.write(self._handle, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Release the lock."""
        os.close(self._handle)


def _lock(handle: int) -> None:
    """Lock the file. Raises BlockingIOError or PermissionError if another process has locked it."""
    if os.name == "nt":
        import msvcrt

        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_error(error: OSError, holder: str) -> Precondition:
    if isinstance(error, BlockingIOError | PermissionError):
        return Precondition(
            f"another server (process {holder}) uses this data directory; stop it, or choose another one with --data",
            StartReason.DATA_DIRECTORY_LOCKED,
        )
    return Precondition(
        f"the data directory cannot be locked ({error.strerror}); choose one on a local disk with --data",
        StartReason.DATA_DIRECTORY_UNUSABLE,
    )
