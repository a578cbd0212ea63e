"""Files and folders that appear when they are complete, and replace nothing unless that was asked for."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_neighbor(target: Path) -> Iterator[Path]:
    """Yield a path in the target's folder, which is made if necessary; what is left there at the end is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on disk."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def publish(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give a complete file its name. Raise FileExistsError if the name is taken, unless it may be overwritten."""
    if overwrite:
        temporary.replace(target)
        return
    try:
        os.link(temporary, target)  # which fails if there is such a file, even if it appeared just now
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        temporary.rename(target)


def publish_folder(temporary: Path, target: Path) -> None:
    """Give a complete folder its name. Raise OSError if the name is taken, unless by an empty folder."""
    temporary.rename(target)
