"""Folders of labeled images: the label that a folder's name means."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable
from pathlib import Path

FOLDER_NAMES = ("auto", "text", "code-points")
"""How to read folders that are named by a number of several digits."""
_UNKNOWN_CLASS, _CLASS_BEFORE = "999", "998"
_SHOWN = 3
_CODE_POINTS = re.compile(r"U\+[0-9A-Fa-f]{4,6}(?:[_ ](?:U\+)?[0-9A-Fa-f]{4,6})*")


def parse_label(folder: str, rule: str = "auto") -> str:
    """Return the label that a folder's name means, in NFC: code points (U+0C95_0CCD), a decimal code point of two or
    more digits (65) unless the rule is “text”, or the name itself.

    Raise ValueError for a number that is no character, and for a name that is not UTF-8.
    """
    try:
        label = _decode_name(folder, rule)
        label.encode()  # fails for a lone surrogate, which is a code point but no character
    except (ValueError, OverflowError):
        raise ValueError(f"the folder name {folder} is neither text nor a character's number") from None
    return unicodedata.normalize("NFC", label)


def is_unknown_folder(name: str, folders: Collection[str]) -> bool:
    """Return whether a folder among these holds drawings of none of the labels: 999, unless 998 is there, too."""
    return name == _UNKNOWN_CLASS and _CLASS_BEFORE not in folders


def list_code_points(folders: Iterable[str], rule: str) -> list[str]:
    """Return the names that are numbers and are read as code points, sorted. Raise ValueError, with both readings and
    how to choose one, if they look like class numbers instead. The server reads zips in the same way.
    """
    numbers = sorted({name for name in folders if _is_number(name)}, key=lambda name: (len(name), name))
    odd = [name for name in numbers if not _is_letter(name)]
    if rule == "text":
        return []
    if odd and rule == "auto":
        shown = ", ".join([*numbers[:_SHOWN], *(["…"] if len(numbers) > _SHOWN else [])])
        point = f"U+{int(odd[0]):04X}" if len(odd[0]) < 8 else "no character"
        raise ValueError(
            f"folders look like class numbers ({shown}): as text, {odd[0]} is the label “{odd[0]}”, as a code point it "
            f"is {point}; choose with --folder-names text or code-points, or give --labels FILE"
        )
    return numbers


def _is_number(name: str) -> bool:
    """Return whether a name is a number of several digits; a single digit is that digit."""
    return name.isascii() and name.isdecimal() and len(name) > 1


def _is_letter(number: str) -> bool:
    code = int(number[:8])
    is_character = code <= 0x10FFFF and not number.startswith("0")
    return is_character and unicodedata.category(chr(code))[0] in "LMN"


def _decode_name(folder: str, rule: str) -> str:
    if _CODE_POINTS.fullmatch(folder):
        return "".join(chr(int(part.removeprefix("U+"), 16)) for part in re.split("[_ ]", folder))
    if rule != "text" and _is_number(folder):
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


def label_of_folder(root: Path, folder: Path, rule: str = "auto") -> str:
    """Return the label of one of the label folders in `root`. Raise ValueError as parse_label does."""
    return parse_label("".join(folder.relative_to(root).parts), rule)


def _list_folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def derive_request_id(name: str, content: bytes, label: str, variant_of: str) -> str:
    """Return the same request_id for the same file taught the same way, so that an interrupted folder can be repeated.

    name: the file's path below its label's folder, so that the folder itself can be moved or renamed.
    """
    parts = [
        unicodedata.normalize("NFC", part).encode("utf-8", "surrogateescape") for part in (name, label, variant_of)
    ]
    digest = hashlib.sha256(b"\0".join([*parts, hashlib.sha256(content).digest()]))
    return "folder-" + digest.hexdigest()[:48]
