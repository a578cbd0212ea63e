"""Folders of labeled images: which label a folder's name means, which files count, and how they are told apart."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

IMAGES = (".png", ".jpg", ".jpeg", ".webp")
_HEX = re.compile(r"U\+[0-9A-Fa-f]{4,6}(?:[_ ](?:U\+)?[0-9A-Fa-f]{4,6})*")


def label_of(folder: str) -> str:
    """A decimal code point of two digits or more (65), U+0C95_0CCD, or literal text; in NFC, as servers keep labels.

    Raises ValueError for a number that is no character, and for a name that is not UTF-8.
    """
    try:
        label = _decoded(folder)
        label.encode()  # a lone surrogate is a code point, but no character
    except (ValueError, OverflowError):
        raise ValueError(f"the folder's name, {folder}, is neither text nor a character's number") from None
    return unicodedata.normalize("NFC", label)


def _decoded(folder: str) -> str:
    if _HEX.fullmatch(folder):
        return "".join(chr(int(part.removeprefix("U+"), 16)) for part in re.split("[_ ]", folder))
    if folder.isascii() and folder.isdecimal() and len(folder) > 1:
        return chr(int(folder))
    return folder


def label_folders(root: Path) -> list[Path]:
    """The folders in `root` that are named after labels: all that are not hidden, sorted. Exports write a long label as
    U+0C95_0CCD_/0CB7: of such a folder, those in it.
    """
    found: list[Path] = []
    for folder in _folders(root):
        inner = _folders(folder) if folder.name.endswith("_") else []
        found += [path for path in inner if _HEX.fullmatch(folder.name + path.name)] or [folder]
    return found


def label_below(root: Path, folder: Path) -> str:
    """What one of the label_folders of `root` means. Raises ValueError as label_of does."""
    return label_of("".join(folder.relative_to(root).parts))


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def images_below(folder: Path) -> Iterator[Path]:
    """All images in a folder and its folders, sorted, hidden ones left out."""
    return (path for path in _files_below(folder) if path.suffix.lower() in IMAGES)


def others_below(folder: Path) -> int:
    """How many files there are that images_below passes over, hidden ones left out."""
    return sum(path.suffix.lower() not in IMAGES for path in _files_below(folder))


def _files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path


def request_id(name: str, content: bytes, label: str, variant_of: str) -> str:
    """The same for the same file taught the same way, so that a folder can be taught again after an interruption.

    name: the file's path below its label's folder, so that the folder itself can be moved or respelled.
    """
    parts = [
        unicodedata.normalize("NFC", part).encode("utf-8", "surrogateescape") for part in (name, label, variant_of)
    ]
    digest = hashlib.sha256(b"\0".join([*parts, hashlib.sha256(content).digest()]))
    return "folder-" + digest.hexdigest()[:48]
