"""One interface to zip files and folders: file names with slashes, and their bytes. Nothing is unpacked to disk."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import MAX_IMAGE_BYTES
from haleganada_server.core.machine_errors import raise_machine_error

from .source_item import MAX_ITEMS

_ZIP_LIMITS = zip_files.ZipLimits(members=MAX_ITEMS, directory_bytes=192 * 2**20, total_bytes=64 * 2**30)


class Tree(Protocol):
    """Files by name, without hidden ones and those that macOS adds."""

    def names(self) -> list[str]:
        """Return all names, sorted. Raises InvalidInput for too many."""

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """Return a whole file. Raises InvalidInput if it has over `limit` bytes or cannot be read."""

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading. Raises InvalidInput."""


class ZipTree:
    """The members of a zip file, without directories."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._members = zip_files.list_members(file)

    def names(self) -> list[str]:
        return sorted(self._members)

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        return zip_files.read_member(self._file, self._members[name], limit)

    def open(self, name: str) -> IO[bytes]:
        with zip_files.damage_as_invalid_input():
            return self._file.open(self._members[name])


class FolderTree:
    """The files below a folder. Links that lead out of it are refused: they could lead to anyone's files."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def names(self) -> list[str]:
        found: list[str] = []
        for folder, folders, files in os.walk(self._root):
            folders[:] = [name for name in folders if not zip_files.is_hidden(name)]
            found += [
                (Path(folder) / name).relative_to(self._root).as_posix()
                for name in files
                if not zip_files.is_hidden(name)
            ]
            if len(found) > MAX_ITEMS:
                raise InvalidInput("path", f"has over {MAX_ITEMS:,} files; name a smaller folder")
        return sorted(found)

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        try:
            with self.open(name) as file:
                data = file.read(limit + 1)
        except OSError as error:
            _raise_unless_forbidden(error)
            raise InvalidInput("file", "cannot be read by the server") from error
        if len(data) > limit:
            raise InvalidInput("file", f"has over {limit:,} bytes; send it smaller")
        return data

    def open(self, name: str) -> IO[bytes]:
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root) or not path.is_file():
            raise InvalidInput(
                "file", "is not a file, or is a link that leads out of the folder; put the file itself there"
            )
        try:
            return path.open("rb")
        except OSError as error:
            _raise_unless_forbidden(error)
            raise InvalidInput("file", "cannot be read by the server") from error


def _raise_unless_forbidden(error: OSError) -> None:
    """Raise an error of the machine. A file that this user may not read is the caller's choice."""
    if not isinstance(error, PermissionError):
        raise_machine_error(error)


@contextmanager
def open_tree(path: Path) -> Iterator[Tree]:
    """Open a folder or a zip file. Raises InvalidInput if it is neither, or too expensive to read."""
    if path.is_dir():
        yield FolderTree(path)
        return
    with zip_files.open_zip(path, _ZIP_LIMITS) as file:
        yield ZipTree(file)
