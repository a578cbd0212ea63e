"""Zips from a server, unpacked into a folder and nowhere else."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from haleganada_client.errors import HaleganadaError

MAX_FILES = 200_000
MAX_TOTAL_BYTES = 16 * 2**30


def unpack(archive: BinaryIO, folder: Path) -> list[Path]:
    """Unpack a zip into a new folder and return the paths of its files, in their order.

    Raise HaleganadaError for a zip with names that lead elsewhere, with links, or that would fill the disk, OSError if
    a file cannot be written. What was unpacked until then stays.
    """
    folder.mkdir()
    left = min(MAX_TOTAL_BYTES, shutil.disk_usage(folder).free)
    paths = []
    try:
        with zipfile.ZipFile(archive) as source:
            members = [member for member in source.infolist() if not member.is_dir()]
            if len(members) > MAX_FILES:
                raise _refuse(f"it has more than {MAX_FILES:,} files")
            for member in members:
                path = folder / _check_name(member)
                path.parent.mkdir(parents=True, exist_ok=True)
                left -= _copy(source, member, path, left)
                paths.append(path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _refuse(str(error)) from None
    return paths


def _check_name(member: zipfile.ZipInfo) -> PurePosixPath:
    """Return the path of a file of the zip. Raise HaleganadaError if it leads out of the folder or is no plain file."""
    name = member.filename
    path = PurePosixPath(name)
    kind = (member.external_attr >> 16) & 0o170000
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
    if outside or not path.parts or not name.isprintable() or kind not in (0, 0o100000):
        raise _refuse(f"it has a file {name!a}")
    return path


def _copy(source: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, left: int) -> int:
    """Unpack one file of at most `left` bytes, whatever size the zip says, and return its size."""
    size = 0
    with source.open(member) as packed, path.open("xb") as file:
        while chunk := packed.read(1 << 20):
            size += len(chunk)
            if size > left:
                raise _refuse("there is no room for what is in it")
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size


def _refuse(problem: str) -> HaleganadaError:
    return HaleganadaError(f"the server's zip cannot be unpacked: {problem}")
