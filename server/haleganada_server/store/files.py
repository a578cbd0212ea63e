"""Atomic files: written elsewhere, synced, then renamed into place."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from haleganada_server.core.baton import without_baton
from haleganada_server.core.disk.failpoints import reach

_LOCKED_BYTE = 1 << 20  # Windows: a locked byte cannot be read, so it is far behind what a lock file says
_READ_AHEAD = 128 << 10  # bytes; systems read no more than this ahead at once, however much they are asked for


def sync_folder(folder: Path) -> None:
    """Make renames and new files in a folder survive a power failure. Windows has no such call, and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with without_baton():
            os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Make a file's content survive a power failure."""
    with path.open("rb+") as file, without_baton():
        os.fsync(file.fileno())


def give_to_owner_of(folder: Path, path: Path) -> None:
    """Let a path that root has made belong to whom a folder belongs to: a server that runs as that user has to read it.
    Does nothing for other users, who cannot give anything away.
    """
    if os.name == "nt" or os.geteuid() != 0:
        return
    owner = folder.stat()
    os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def write_json(path: Path, value: Any, scratch: Path) -> None:
    """Write a small JSON file atomically, using the folder `scratch` on the same disk."""
    unfinished = scratch / f"{path.name}.new"
    unfinished.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    move(unfinished, path)


def move(source: Path, target: Path) -> None:
    """Sync a finished file and move it into place, atomically."""
    sync_file(source)
    reach("move.synced")
    source.replace(target)
    reach("move.renamed")
    sync_folder(target.parent)


def copy(source: Path, target: Path) -> None:
    """Copy a file and sync the copy."""
    shutil.copyfile(source, target)
    sync_file(target)


def link(source: Path, target: Path) -> None:
    """Give a file a second name by a hard link; copy it where the file system has no links."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        copy(source, target)


def lock(handle: int, *, wait: bool = False) -> None:
    """Lock an open file until it is closed. If another process has locked it, wait for that to end (on Windows, ten
    seconds at most), or else raise BlockingIOError or PermissionError.
    """
    if os.name == "nt":
        import msvcrt

        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def read_ahead(path: Path) -> None:
    """Let the system begin to read a whole file that is about to be read page by page, in another order than that on
    the disk. Only a hint, which costs next to nothing if the file is in memory already. No connection of SQLite may be
    open to the file: closing any descriptor of a file gives up all of the process's locks on it.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    with suppress(OSError), path.open("rb", buffering=0) as file:
        for start in range(0, os.fstat(file.fileno()).st_size, _READ_AHEAD):
            os.posix_fadvise(file.fileno(), start, _READ_AHEAD, os.POSIX_FADV_WILLNEED)


def remove_folder(folder: Path, doomed: Path) -> None:
    """Remove a folder so that it is complete or absent even after a kill: it is first renamed to `doomed`, a new
    temporary path, which the next start removes.
    """
    folder.replace(doomed)
    reach("remove.renamed")
    sync_folder(folder.parent)
    shutil.rmtree(doomed, ignore_errors=True)
