"""Texts of lines: as they are kept, and as they are compared."""

from __future__ import annotations

import re
import unicodedata

MAX_LINE_CHARACTERS = 1_000

_SPACES = re.compile(r"\s+")
_UNIFIED = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u200c\u200d", None),
        "॥": "।।",
        "…": "...",
    }
)


def clean_line(text: str) -> str:
    """Return the text of a line as it is kept: in NFC, with single spaces, none of them at the ends."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def normalize_for_comparison(text: str) -> str:
    """Return what two texts have to share to count as equal: NFC, with ZWJ and ZWNJ left out, quotation marks, dashes
    and points of omission in one form each, a double danda as two single ones, and single spaces.
    """
    return clean_line(clean_line(text).translate(_UNIFIED))
