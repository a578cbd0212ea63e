"""Folders of labelled images: which label a folder's name means, and which files count."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

IMAGES = (".png", ".jpg", ".jpeg", ".webp")
_HEX = re.compile(r"U\+[0-9A-Fa-f]{4,6}(?:[_ ](?:U\+)?[0-9A-Fa-f]{4,6})*")


def label_of(folder: str) -> str:
    """A decimal code point of two digits or more (65), U+0C95_0CCD, or literal text. Raises ValueError."""
    if _HEX.fullmatch(folder):
        return "".join(chr(int(part.removeprefix("U+"), 16)) for part in re.split("[_ ]", folder))
    if folder.isascii() and folder.isdecimal() and len(folder) > 1:
        return chr(int(folder))
    return folder


def labelled_images(root: Path) -> Iterator[tuple[Path, str]]:
    """(image, label) for each image in a folder of `root` that is named after its label; sorted, hidden files left
    out.
    """
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        label = label_of(folder.name)
        for image in sorted(folder.iterdir()):
            if image.suffix.lower() in IMAGES and not image.name.startswith("."):
                yield image, label


def images_in(path: Path) -> list[Path]:
    """The file itself, or all images below a folder, sorted."""
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGES and not p.name.startswith("."))
    return [path]


def request_id(content: bytes, label: str) -> str:
    """The same for the same picture and label, so that a folder can be taught again after an interruption."""
    return "folder-" + hashlib.sha256(label.encode() + b"\0" + content).hexdigest()[:48]
