"""Temporary folders that end with their process: what a killed one has left, the next one removes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from haleganada_server.store import files


@contextmanager
def temporary_folder(prefix: str, parent: str | None = None) -> Iterator[Path]:
    """Give the block a new folder, and remove it after that; before, remove those of the same prefix whose processes
    were killed. prefix: of nobody else's folders. parent: None = where the machine keeps temporary files.
    """
    place = Path(parent or tempfile.gettempdir())
    _remove_left(place, prefix)
    hidden = Path(tempfile.mkdtemp(prefix=f".{prefix}", dir=place))
    folder = place / hidden.name.removeprefix(".")
    handle = _lock(hidden)  # before others can see it
    hidden.rename(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _remove_left(place: Path, prefix: str) -> None:
    """Remove this user's folders whose locks nobody holds any more."""
    for folder in place.glob(f"{prefix}*"):
        with suppress(OSError):
            state = folder.lstat()
            if state.st_uid == os.geteuid() and folder.is_dir() and (handle := _lock(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(handle)


def _lock(folder: Path) -> int | None:
    """Lock a folder until the handle that is returned is closed, or this process ends. Return None if another process
    has locked it, or where folders cannot be locked.
    """
    if os.name == "nt":
        return None
    handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        files.lock(handle)
    except OSError:
        os.close(handle)
        return None
    return handle
