"""What labels of characters and names of workspaces may contain.

They are normalized to NFC, so that the two encodings of ಕೀ are one label. ZWJ and ZWNJ are kept: they distinguish forms
in Indic scripts. A label never becomes a file name, so a path, “..” or an HTML tag is just a label.
"""

from __future__ import annotations

import unicodedata

from .errors import InvalidInput
from .limits import MAX_LABEL_LENGTH

DEFAULT_WORKSPACE = "default"

_JOINERS = frozenset("\u200c\u200d")  # ZWNJ, ZWJ
_DIRECTION_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_FORBIDDEN = {
    "Cc": "control characters and line breaks are not allowed",
    "Cs": "half of a surrogate pair is not text",
    "Zl": "line breaks are not allowed",
    "Zp": "line breaks are not allowed",
}


def normalize_label(text: str, field: str = "label") -> str:
    """Return text in NFC without surrounding white space.

    Raises InvalidInput if it is empty, invisible, or longer than 64 code points, or contains control characters, line
    breaks or text-direction controls.
    """
    label = unicodedata.normalize("NFC", text).strip()
    if not label:
        raise InvalidInput(field, "is empty; say which character it is")
    if len(label) > MAX_LABEL_LENGTH:
        raise InvalidInput(field, f"has {len(label)} code points; at most {MAX_LABEL_LENGTH} are allowed")
    for char in label:
        if problem := _find_problem(char):
            raise InvalidInput(field, f"contains U+{ord(char):04X}; {problem}")
    if all(unicodedata.category(char) == "Cf" for char in label):
        raise InvalidInput(field, "has no visible character; say which character it is")
    return label


def _find_problem(char: str) -> str | None:
    """Return why a character is not allowed in a label; None if it is."""
    category = unicodedata.category(char)
    if category == "Cf" and unicodedata.bidirectional(char) in _DIRECTION_CONTROLS:
        return "text-direction controls are not allowed"
    return None if char in _JOINERS else _FORBIDDEN.get(category)


def workspace_name(text: str) -> str:
    """Return the normalized name of a workspace; "" means “default”. Raises InvalidInput."""
    return normalize_label(text, "workspace") if text else DEFAULT_WORKSPACE


def code_points(label: str) -> tuple[str, ...]:
    """Return the code points, for example ("U+0C95", "U+0CBF") for ಕಿ."""
    return tuple(f"U+{ord(char):04X}" for char in label)
