"""File helpers for several packages."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK = 1 << 20


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def measure_size(path: Path) -> int:
    """Return the size of a file in bytes; 0 if there is none, also if it goes away at this moment, as journals do."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Create a folder for unfinished files, and remove it with its contents at the end."""
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
