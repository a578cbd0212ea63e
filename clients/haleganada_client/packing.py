"""A folder as one file to send: a zip in which nothing but names and content matter, so that the same folder always
gives the same bytes and an upload can go on where an earlier one broke off.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .errors import InvalidInput

_CHUNK = 1 << 20
_NO_DATE = (1980, 1, 1, 0, 0, 0)


@contextmanager
def packed(path: Path) -> Iterator[BinaryIO]:
    """A file to read and seek in; a folder as a zip, which is gone afterwards. Raises OSError,
    InvalidInput."""
    if not path.is_dir():
        with path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile(prefix="haleganada-") as spool:
        _zip(path, spool)
        spool.seek(0)
        yield spool


def links_below(folder: Path) -> list[str]:
    """Names, below the folder, of the links that packed leaves out, hidden ones aside; sorted."""
    found = [path for path in _below(folder) if path.is_symlink()]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def sha256_of(file: BinaryIO) -> str:
    """SHA-256 of a whole file, hexadecimal; it stands at its start afterwards."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _zip(folder: Path, target: object) -> None:
    """Images are compressed already: they are stored. Hidden files and links are left out."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as file:  # type: ignore[call-overload]
        for path in _files_below(folder):
            info = zipfile.ZipInfo(_name(path.relative_to(folder)), _NO_DATE)
            info.external_attr = 0o644 << 16
            with path.open("rb") as source, file.open(info, "w", force_zip64=True) as member:
                while chunk := source.read(_CHUNK):
                    member.write(chunk)


def _name(path: Path) -> str:
    """Raises InvalidInput for what a zip cannot name."""
    name = path.as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise InvalidInput(f"the name {shown} is not UTF-8; rename the file, then send the folder again") from None
    return name


def _files_below(root: Path) -> Iterator[Path]:
    return (path for path in _below(root) if not path.is_symlink() and path.is_file())


def _below(root: Path) -> Iterator[Path]:
    """Files and links, hidden ones left out; links are not followed, for they could lead round in a circle."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (path for name in folders if (path := Path(folder, name)).is_symlink())
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))
