"""What labels of characters and names of workspaces may contain.

They are normalized to NFC, so that the two encodings of ಕೀ are one label. A label is what it looks like: invisible
characters that copying and saving leave at its ends are cut off, and refused inside. Those that shape their neighbors,
as ZWJ and ZWNJ do in Indic scripts, are kept. A label never becomes a file name, so a path, “..” or an HTML tag is just
a label.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from .errors import InvalidInput
from .limits import MAX_LABEL_LENGTH

DEFAULT_WORKSPACE = "default"

_ZWJ = "\u200d"
_JOINERS = "\u200c\u200d"  # ZWNJ, ZWJ
_OVERRIDES = "\u202d\u202e"  # LRO, RLO: what is visible is turned around
_EMOJI_STYLES = "\ufe0e\ufe0f"
_REPLACEMENT = "\ufffd"
_VIRAMA = 9  # the combining class of all viramas
_BLACK_FLAG = "\U0001f3f4"
_CURSIVE = frozenset({"ADLAM", "ARABIC", "MANDAIC", "MANICHAEAN", "MONGOLIAN", "NKO", "PHAGS-PA", "SYRIAC"})
_VARIED = frozenset({"CJK", "MANICHAEAN", "MONGOLIAN", "MYANMAR", "PHAGS-PA"})
"""Scripts of which Unicode standardizes variants, by the first word of their characters' names."""
_INVISIBLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Unicode's Default_Ignorable_Code_Point, which Python does not know, the empty Braille pattern, and annotation."""
_VARIATION_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_TAGS = ((0xE0020, 0xE007F),)
_FORBIDDEN = {
    "Cc": "control characters and line breaks are not allowed",
    "Cs": "half of a surrogate pair is not text",
    "Zl": "line breaks are not allowed",
    "Zp": "line breaks are not allowed",
}


def normalize_label(text: str, field: str = "label") -> str:
    """Return text in NFC without white space and invisible characters around it; every space inside is an ordinary one.

    Raises InvalidInput if it is empty, or longer than 64 code points, or contains control characters, line breaks,
    invisible characters, or U+FFFD, which programs write for what they could not decode.
    """
    if len(text) > MAX_LABEL_LENGTH:  # white space around a label may be long, so it must not be kept
        return _normalize(text, field)
    return _normalize_short(text, field)


def _normalize(text: str, field: str) -> str:
    label = _strip_invisible(unicodedata.normalize("NFC", text))
    if not label:
        why = "has no visible character" if text.strip() else "is empty"
        raise InvalidInput(field, f"{why}; say which character it is")
    if len(label) > MAX_LABEL_LENGTH:
        raise InvalidInput(field, f"has {len(label)} code points; at most {MAX_LABEL_LENGTH} are allowed")
    for at, char in enumerate(label):
        if problem := _find_problem(label, at):
            raise InvalidInput(field, f"contains U+{ord(char):04X}; {problem}")
    return "".join(" " if unicodedata.category(char) == "Zs" else char for char in label)


_normalize_short = lru_cache(maxsize=4096)(_normalize)
"""The same, remembering the last labels: who teaches many drawings repeats few labels."""


def _strip_invisible(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_removable(text[start:end], 0):
        start += 1
    while start < end and _is_removable(text[start:end], end - start - 1):
        end -= 1
    return text[start:end]


def _is_removable(text: str, at: int) -> bool:
    """Return whether the first or last character of a text is not seen. Overrides are, by what they turn around."""
    char = text[at]
    return char.isspace() or (_is_in(char, _INVISIBLE) and char not in _OVERRIDES and not _shapes_neighbor(text, at))


def _find_problem(label: str, at: int) -> str | None:
    """Return why a character is not allowed at its place in a label; None if it is."""
    char = label[at]
    if char.isascii() and char.isprintable():
        return None
    if char == _REPLACEMENT:
        return "it stands for text that could not be decoded; save the text as UTF-8"
    if char in _OVERRIDES:
        return "text-direction controls are not allowed"
    if _is_in(char, _INVISIBLE) and not _shapes_neighbor(label, at):
        return "it is invisible; leave it out"
    if ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF:
        return "Unicode has no such character"
    return _FORBIDDEN.get(unicodedata.category(char))


def _shapes_neighbor(text: str, at: int) -> bool:
    """Return whether an invisible character changes how the ones beside it look."""
    char, before, after = text[at], text[at - 1 : at], text[at + 1 : at + 2]
    if char in _JOINERS:
        return _joins(char, before, after)
    if not before:
        return False
    if char in _EMOJI_STYLES:  # at the end, they would make two labels of one symbol
        return bool(after) and (before in "#*0123456789" or unicodedata.category(before).startswith("S"))
    if _is_in(char, _VARIATION_SELECTORS):
        return unicodedata.category(before) == "Sm" or _script(before) in _VARIED
    return _is_in(char, _TAGS) and text.startswith(_BLACK_FLAG)  # such as the flag of Scotland


def _joins(joiner: str, before: str, after: str) -> bool:
    """Return whether ZWJ or ZWNJ stands between two characters, or as ZWJ shows a half form or a cursive letter's."""
    if before and after:
        follows_text = not _is_in(before, _INVISIBLE) or _is_in(before, _VARIATION_SELECTORS)
        return follows_text and not _is_in(after, _INVISIBLE)
    is_half_form = bool(before) and unicodedata.combining(before) == _VIRAMA
    return joiner == _ZWJ and (is_half_form or _script(before or after) in _CURSIVE)


def _script(char: str) -> str:
    """Return the first word of a character's name; "" for none."""
    return unicodedata.name(char, "").partition(" ")[0] if char else ""


def _is_in(char: str, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)


def workspace_name(text: str) -> str:
    """Return the normalized name of a workspace; "" means “default”. Raises InvalidInput."""
    return normalize_label(text, "workspace") if text else DEFAULT_WORKSPACE


@lru_cache(4096)  # answers name few labels again and again
def code_points(label: str) -> tuple[str, ...]:
    """Return the code points, for example ("U+0C95", "U+0CBF") for ಕಿ."""
    return tuple(f"U+{ord(char):04X}" for char in label)
