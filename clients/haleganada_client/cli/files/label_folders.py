"""Folders of labeled images: the label that a folder's name means, and the images in it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_CODE_POINTS = re.compile(r"U\+[0-9A-Fa-f]{4,6}(?:[_ ](?:U\+)?[0-9A-Fa-f]{4,6})*")


def parse_label(folder: str) -> str:
    """Return the label that a folder's name means, in NFC: a decimal code point of two or more digits (65), code points
    (U+0C95_0CCD), or the name itself.

    Raise ValueError for a number that is no character, and for a name that is not UTF-8.
    """
    try:
        label = _decode_name(folder)
        label.encode()  # fails for a lone surrogate, which is a code point but no character
    except (ValueError, OverflowError):
        raise ValueError(f"the folder name {folder} is neither text nor a character's number") from None
    return unicodedata.normalize("NFC", label)


def _decode_name(folder: str) -> str:
    if _CODE_POINTS.fullmatch(folder):
        return "".join(chr(int(part.removeprefix("U+"), 16)) for part in re.split("[_ ]", folder))
    if folder.isascii() and folder.isdecimal() and len(folder) > 1:
        return chr(int(folder))
    return folder


def list_label_folders(root: Path) -> list[Path]:
    """Return the folders in `root` that are named after labels, sorted: all but hidden ones.

    Exports split the name of a long label into two levels, U+0C95_0CCD_/0CB7; the inner folder counts then.
    """
    label_folders: list[Path] = []
    for folder in _list_folders(root):
        inner = _list_folders(folder) if folder.name.endswith("_") else []
        label_folders += [path for path in inner if _CODE_POINTS.fullmatch(folder.name + path.name)] or [folder]
    return label_folders


def label_of_folder(root: Path, folder: Path) -> str:
    """Return the label of one of the label folders in `root`. Raise ValueError as parse_label does."""
    return parse_label("".join(folder.relative_to(root).parts))


def _list_folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def iter_images(folder: Path) -> Iterator[Path]:
    """Yield all images in a folder and its subfolders, sorted, except hidden ones."""
    return (path for path in _iter_files(folder) if path.suffix.lower() in IMAGE_SUFFIXES)


def count_other_files(folder: Path) -> int:
    """Count the files that iter_images skips, except hidden ones."""
    return sum(path.suffix.lower() not in IMAGE_SUFFIXES for path in _iter_files(folder))


def _iter_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path


def derive_request_id(name: str, content: bytes, label: str, variant_of: str) -> str:
    """Return the same request_id for the same file taught the same way, so that an interrupted folder can be repeated.

    name: the file's path below its label's folder, so that the folder itself can be moved or renamed.
    """
    parts = [
        unicodedata.normalize("NFC", part).encode("utf-8", "surrogateescape") for part in (name, label, variant_of)
    ]
    digest = hashlib.sha256(b"\0".join([*parts, hashlib.sha256(content).digest()]))
    return "folder-" + digest.hexdigest()[:48]
