"""The texts of lines, and the pictures that belong to them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.lines.texts import MAX_LINE_CHARACTERS, clean_line

_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")


def is_picture(name: str) -> bool:
    """Tell whether a file is a picture, by its ending."""
    return name.lower().endswith(_ENDINGS)


def index_pictures(names: Iterable[str]) -> dict[str, str]:
    """Return the names of pictures by their stems; of two with one stem, the first."""
    found: dict[str, str] = {}
    for name in names:
        if is_picture(name):
            found.setdefault(PurePosixPath(name).stem, name)
    return found


def check_text(text: str) -> str:
    """Return the text of a line as it is kept. Raises InvalidInput for one that nobody can have written."""
    cleaned = clean_line(text)
    if not cleaned:
        raise InvalidInput("text", "is empty; leave lines without text out")
    if len(cleaned) > MAX_LINE_CHARACTERS:
        raise InvalidInput("text", f"has {len(cleaned):,} characters; a line has at most {MAX_LINE_CHARACTERS:,}")
    for character in cleaned:
        if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise InvalidInput(
                "text", f"contains U+{ord(character):04X}, which no line may contain; save the file as UTF-8"
            )
    return cleaned
