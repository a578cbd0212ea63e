"""A folder as one file to upload: a zip that depends only on the files' names and contents, so that the same folder
always gives the same bytes and an interrupted upload can resume.
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

from ..errors import InvalidInput

_CHUNK_BYTES = 1 << 20
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini")


@contextmanager
def open_packed(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read and seek in; for a folder, a temporary zip of it. Raise OSError, InvalidInput."""
    if not path.is_dir():
        with path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile(prefix="haleganada-") as archive:
        _zip_folder(path, archive)
        archive.seek(0)
        yield archive


def list_links(folder: Path) -> list[str]:
    """Return the symbolic links that open_packed skips, by their paths below the folder, sorted; not hidden ones."""
    found = [path for path in _iter_paths(folder) if path.is_symlink()]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def hash_file(file: BinaryIO) -> str:
    """Return the SHA-256 of a whole file in hexadecimal, and rewind it."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _zip_folder(folder: Path, target: object) -> None:
    """Write a zip without compression, since images are compressed already. Skip hidden files and links."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as file:  # type: ignore[call-overload]
        for path in _iter_paths(folder):
            if path.is_symlink() or not path.is_file():
                continue
            info = zipfile.ZipInfo(_member_name(path.relative_to(folder)), _NO_DATE)
            info.external_attr = 0o644 << 16
            with path.open("rb") as source, file.open(info, "w", force_zip64=True) as member:
                while chunk := source.read(_CHUNK_BYTES):
                    member.write(chunk)


def _member_name(path: Path) -> str:
    """Return the name of a file in the zip. Raise InvalidInput if a zip cannot have it."""
    name = path.as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise InvalidInput(f"the file name {shown} is not UTF-8; rename the file and send the folder again") from None
    return name


def _iter_paths(root: Path) -> Iterator[Path]:
    """Yield files and links, except hidden ones. Links are not followed, because they could lead in circles."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (path for name in folders if (path := Path(folder, name)).is_symlink())
        yield from (Path(folder, name) for name in sorted(files) if not is_hidden(name))


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is hidden, or was added by macOS or Windows."""
    return name.startswith((".", "__MACOSX")) or name.lower() in _SYSTEM_FILES
