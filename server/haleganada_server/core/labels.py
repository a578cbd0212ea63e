"""What a label may be, decided in one place for labels of characters and names of workspaces alike.

Normalized to NFC, so that the two encodings of ಕೀ are one label. ZWJ and ZWNJ are kept: they tell forms of Indic
scripts apart. A label never becomes the name of a file, so a path, “..” or an HTML tag is just a label.
"""

from __future__ import annotations

import unicodedata

from .errors import InvalidInput
from .limits import MAX_LABEL_LENGTH

DEFAULT_WORKSPACE = "default"

_JOINERS = frozenset("\u200c\u200d")  # ZWNJ, ZWJ
_REFUSED = {
    "Cc": "control characters and line breaks are not allowed",
    "Cs": "half of a surrogate pair is not text",
    "Zl": "line breaks are not allowed",
    "Zp": "line breaks are not allowed",
}


def normalize_label(text: str, field: str = "label") -> str:
    """`text` in NFC without surrounding white space.

    Raises InvalidInput: empty, invisible, over 64 code points, or with control characters, line breaks or
    text-direction overrides.
    """
    label = unicodedata.normalize("NFC", text).strip()
    if not label:
        raise InvalidInput(field, "is empty; say which character it is")
    if len(label) > MAX_LABEL_LENGTH:
        raise InvalidInput(field, f"has {len(label)} code points; at most {MAX_LABEL_LENGTH} are allowed")
    for char in label:
        if problem := _problem(char):
            raise InvalidInput(field, f"contains U+{ord(char):04X}; {problem}")
    if all(unicodedata.category(char) == "Cf" for char in label):
        raise InvalidInput(field, "has no visible character; say which character it is")
    return label


def _problem(char: str) -> str | None:
    """Why a character may not be in a label; None if it may."""
    category = unicodedata.category(char)
    if category == "Cf" and unicodedata.bidirectional(char) in {
        "LRE",
        "RLE",
        "LRO",
        "RLO",
        "PDF",
        "LRI",
        "RLI",
        "FSI",
        "PDI",
    }:
        return "text-direction controls are not allowed"
    return None if char in _JOINERS else _REFUSED.get(category)


def workspace_name(text: str) -> str:
    """The normalized name of a workspace; "" means “default”. Raises InvalidInput."""
    return normalize_label(text, "workspace") if text else DEFAULT_WORKSPACE


def code_points(label: str) -> tuple[str, ...]:
    """For example ("U+0C95", "U+0CBF") for ಕಿ."""
    return tuple(f"U+{ord(char):04X}" for char in label)
