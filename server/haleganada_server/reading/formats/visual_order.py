"""The order in which the characters of a word stand on the page, from left to right, as PDFs have them."""

from __future__ import annotations

import unicodedata
from itertools import groupby

_RIGHT_TO_LEFT = frozenset(("R", "AL"))
_STRONG = frozenset(("L", "EN", "AN")) | _RIGHT_TO_LEFT


def has_right_to_left(text: str) -> bool:
    """Return whether any of it is written from right to left."""
    return any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text)


def to_visual_order(text: str, *, right_to_left: bool) -> str:
    """Return the characters of a word from left to right. right_to_left: whether its line is.

    This is as much of Unicode's bidirectional algorithm as single words need: runs of one direction, numbers among
    them; what has no direction goes with its neighbors if they agree, and with the line otherwise.
    """
    if not has_right_to_left(text):
        return text
    runs = [
        (backwards, "".join(character for character, _ in run))
        for backwards, run in groupby(
            zip(text, _directions(text, right_to_left), strict=True), key=lambda pair: pair[1]
        )
    ]
    shown = [run[::-1] if backwards else run for backwards, run in runs]
    return "".join(reversed(shown) if right_to_left else shown)


def _directions(text: str, right_to_left: bool) -> list[bool]:
    """Return for each character whether it is written from right to left."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    found: list[bool | None] = [kind in _RIGHT_TO_LEFT if kind in _STRONG else None for kind in kinds]
    before = _fill(found, right_to_left)
    after = _fill(found[::-1], right_to_left)[::-1]
    return [
        b if kind == "NSM" else (b if b == a else right_to_left)  # a mark goes with its letter
        for kind, b, a in zip(kinds, before, after, strict=True)
    ]


def _fill(found: list[bool | None], start: bool) -> list[bool]:
    """Return the list with each None replaced by what stands before it."""
    filled = []
    for value in found:
        start = start if value is None else value
        filled.append(start)
    return filled
