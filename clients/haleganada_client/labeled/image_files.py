"""The images in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic")
_SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini")


def iter_images(folder: Path) -> Iterator[Path]:
    """Yield all images in a folder and its subfolders, sorted, except hidden ones."""
    return (path for path in iter_files(folder) if path.suffix.lower() in IMAGE_SUFFIXES)


def count_other_files(folder: Path) -> int:
    """Count the files that iter_images skips, except hidden ones."""
    return sum(path.suffix.lower() not in IMAGE_SUFFIXES for path in iter_files(folder))


def iter_files(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder and its subfolders, sorted, except hidden ones."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.name.lower() not in _SYSTEM_FILES and path.is_file():
            yield path
