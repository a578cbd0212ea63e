"""Ensures that only one server uses a data directory.

Two locks are held: one on DIR/haleganada.lock, which says who holds it and works everywhere, and one on the folder
itself, which nobody can delete by accident as long as there is data in it. A deleted lock file is therefore made again.
Where a folder cannot be locked (some network disks), a deleted or replaced lock file ends the server, because another
one may have started. Windows locks no folders, and needs not: it deletes no open file.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from haleganada_server.core.error_reasons import Reason, StartReason
from haleganada_server.core.errors import Precondition, Unavailable
from haleganada_server.store.files import lock

_WATCH_S = 1.0
_log = logging.getLogger(__name__)


class DirectoryLock:
    """The locks on a data directory, held until release() or the end of the process, however it ends."""

    def __init__(self, directory: Path) -> None:
        """Take the locks. Raises Precondition if another process holds one."""
        self._directory, self._path = directory, directory / "haleganada.lock"
        self._taking = threading.Lock()
        self._released = threading.Event()
        self._names = str(directory), str(self._path)  # strings: to convert a Path takes longer than the system's call
        self._folder_handle = _lock_folder(directory, self._path)
        try:
            self._handle = _lock_file(self._path)
        except BaseException:
            self._close_folder()
            raise
        self._folder_id, self._file_id = _identify(directory), _identify(self._handle)

    def require_held(self) -> None:
        """Raise Unavailable if another server may use the directory by now. Takes some microseconds."""
        if self._is_intact() or self._take_again():
            return
        raise Unavailable(
            "the server's data directory was replaced, or another server may use it, so this one stops and has not "
            "carried out the call; find the server that should go on, then repeat the call there",
            Reason.DATA_DIRECTORY_TAKEN,
        )

    def watch(self, on_lost: Callable[[], None]) -> None:
        """Check every second, in a thread, whether the directory is still this server's; call on_lost once if not."""
        threading.Thread(target=self._watch, args=(on_lost,), name="directory-lock", daemon=True).start()

    def release(self) -> None:
        """Release the locks."""
        with self._taking:
            self._released.set()
            os.close(self._handle)
            self._close_folder()

    def _watch(self, on_lost: Callable[[], None]) -> None:
        while not self._released.wait(_WATCH_S):
            try:
                self.require_held()
            except Unavailable as error:
                _log.critical("%s", error.message)
                on_lost()
                return
            except OSError as error:
                _log.warning("the lock of the data directory cannot be checked: %s", error)

    def _is_intact(self) -> bool:
        """Return whether the paths still lead to what is locked."""
        if os.name == "nt" or self._released.is_set():
            return True
        folder, file = self._names
        same_folder = self._folder_handle is None or _identify(folder) == self._folder_id
        return same_folder and _identify(file) == self._file_id

    def _take_again(self) -> bool:
        """Make a lost lock file again if the folder is still locked, and return whether it is."""
        with self._taking:
            if self._is_intact():
                return True
            if self._folder_handle is None or _identify(self._directory) != self._folder_id:
                return False
            try:
                handle = _lock_file(self._path)
            except Precondition:
                return False
            except OSError as error:
                _log.warning("%s was deleted, and cannot be made again yet: %s", self._path.name, error)
                return True
            os.close(self._handle)
            self._handle, self._file_id = handle, _identify(handle)
            _log.warning("%s was deleted or replaced; it was made again", self._path.name)
            return True

    def _close_folder(self) -> None:
        if self._folder_handle is not None:
            os.close(self._folder_handle)


def is_in_use(directory: Path) -> bool:
    """Return whether a server holds the locks on a data directory; nothing in it is changed."""
    for path in (directory, directory / "haleganada.lock"):
        with suppress(FileNotFoundError, PermissionError):
            handle = os.open(path, os.O_RDONLY)
            try:
                lock(handle)
            except BlockingIOError:
                return True
            except OSError:  # it cannot be locked here
                continue
            finally:
                os.close(handle)
    return False


def _lock_folder(directory: Path, lock_file: Path) -> int | None:
    """Lock a folder and return its handle; None where folders cannot be locked. Raises Precondition if another process
    has locked it.
    """
    if os.name == "nt":
        return None
    handle = os.open(directory, os.O_RDONLY)
    try:
        lock(handle)
    except BlockingIOError as error:
        os.close(handle)
        raise _lock_error(error, _read_holder(lock_file)) from None
    except OSError as error:
        os.close(handle)
        _log.info("the data directory itself cannot be locked (%s); its lock file is", error.strerror)
        return None
    return handle


def _lock_file(path: Path) -> int:
    """Lock the file, write this process's id to it, and return its handle. Raises Precondition if another process has
    locked it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        lock(handle)
    except OSError as error:
        os.close(handle)
        raise _lock_error(error, _read_holder(path)) from None
    os.truncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    return handle


def _identify(file: Path | str | int) -> tuple[int, int] | None:
    """Return device and inode; None for a path that does not exist."""
    try:
        found = os.stat(file)  # noqa: PTH116 - a handle as well as a path
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _read_holder(path: Path) -> str:
    """Return the id of the process that has written the lock file."""
    with suppress(OSError):
        return path.read_text(errors="replace")[:32].strip() or "unknown"
    return "unknown"


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
