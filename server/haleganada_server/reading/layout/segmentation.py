"""Finds the words of a line and the characters of a word by their ink, where an engine does not tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in px; right and bottom are exclusive."""

_SPECK = 1 / 600
"""Of the squared height: a component with less ink is no part of a character. The dot of an i has ten times as much."""
_CONTRAST = 20
"""Gray levels by which ink differs from the ground at least; what differs by less is paper."""
_OVERLAP = 0.5
"""Part of the narrower one by which components must stand above each other to be one character."""
_WORD_GAP = (0.25, 0.6)
"""Least and greatest width of the narrowest gap between words, in heights of the usual character."""


def find_characters(picture: NDArray[np.uint8]) -> list[Box]:
    """Return the boxes of the characters of a word, from left to right. picture: (height, width, 3), upright.

    Characters that touch are one box; a character in several pieces beside each other is several.
    """
    ink = find_ink(picture)
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    least = max(2.0, _SPECK * len(ink) ** 2)
    pieces = [
        (int(left), int(top), int(left + width), int(top + height))
        for left, top, width, height, area in stats[1:count]
        if area >= least
    ]
    return _join(sorted(pieces))


def find_words(picture: NDArray[np.uint8]) -> list[Box]:
    """Return the boxes of the words of a line, from left to right. picture: (height, width, 3), level.

    Gaps between words are the wider ones of two kinds of gaps, told apart by Otsu's method.
    """
    words: list[Box] = []
    characters = find_characters(picture)
    gaps = [after[0] - before[2] for before, after in pairwise(characters)]
    least = _find_word_gap(gaps, characters)
    for gap, character in zip([np.inf, *gaps], characters, strict=False):  # no characters have no gaps
        if gap > least:
            words.append(character)
        else:
            left, top, right, bottom = words[-1]
            words[-1] = left, min(top, character[1]), max(right, character[2]), max(bottom, character[3])
    return words


def _find_word_gap(gaps: Sequence[int], characters: Sequence[Box]) -> float:
    """Return the width in px above which a gap parts words."""
    if len(gaps) < 2:
        return 0.0 if not gaps else _WORD_GAP[1] * (characters[0][3] - characters[0][1])
    height = float(np.median([bottom - top for _, top, _, bottom in characters]))
    widths = np.sort(np.clip(gaps, 0, height))
    splits = range(1, len(widths))
    spread = [i * (len(widths) - i) * (widths[i:].mean() - widths[:i].mean()) ** 2 for i in splits]
    split = splits[int(np.argmax(spread))]
    least, greatest = (part * height for part in _WORD_GAP)
    return min(max(float(widths[split - 1] + widths[split]) / 2, least), greatest)


def find_ink(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 1 where ink is, (height, width): what differs from the ground, be that light or dark."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    level, _ = cv2.threshold(gray, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark = (gray <= level).astype(np.uint8)
    if dark.all() or not dark.any() or gray[dark == 0].mean() - gray[dark == 1].mean() < _CONTRAST:
        return np.zeros_like(gray)
    edge = np.concatenate((dark[0], dark[-1], dark[:, 0], dark[:, -1]))
    return dark if edge.mean() <= 0.5 else 1 - dark  # ground is what most of the edge is


def _join(pieces: list[Box]) -> list[Box]:
    """Join pieces that stand above each other, such as an i and its dot."""
    joined: list[Box] = []
    for piece in pieces:
        left, top, right, bottom = piece
        while joined:
            last = joined[-1]
            overlap = min(last[2], right) - max(last[0], left)
            if overlap < _OVERLAP * min(last[2] - last[0], right - left):
                break
            joined.pop()
            left, top, right, bottom = min(last[0], left), min(last[1], top), max(last[2], right), max(last[3], bottom)
        joined.append((left, top, right, bottom))
    return joined
