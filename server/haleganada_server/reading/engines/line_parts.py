"""Makes a line of words and glyphs out of characters of which only the centers are known, by the ink between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import Polygon, TextGlyph, TextLine, TextWord

Ink = NDArray[np.int64]
"""(n,): how much ink each of n equal parts of a line has, from where its text begins."""


@dataclass(frozen=True, slots=True)
class Character:
    """A character that was read. center: where it is along its line, 0 to 1; None for a space."""

    text: str
    center: float | None
    confidence: float


def make_line(characters: Sequence[Character], confidence: float, corners: Polygon, ink: Ink, engine: str) -> TextLine:
    """Return a line. corners: the four of its box, clockwise from where the text begins. ink: one part or more."""
    words = _split(characters)
    if not words:
        return TextLine(text="", polygon=corners, engine=engine)
    edges = _find_edges([[character.center or 0.0 for character in word] for word in words], ink)
    return TextLine(
        text=" ".join("".join(character.text for character in word) for word in words),
        polygon=corners,
        confidence=min(max(confidence, 0.0), 1.0),
        words=tuple(_make_word(word, places, corners) for word, places in zip(words, edges, strict=True)),
        engine=engine,
    )


def _split(characters: Iterable[Character]) -> list[list[Character]]:
    words: list[list[Character]] = [[]]
    for character in characters:
        if character.center is None:
            words.append([])
        else:
            words[-1].append(character)
    return [word for word in words if word]


def _find_edges(words: Sequence[Sequence[float]], ink: Ink) -> list[list[float]]:
    """Return for each word the edges of its characters, 0 to 1, from their centers: one more than it has characters.

    Words end where the widest gap before the next one begins. Neighbors in a word meet where there is least ink.
    """
    gaps = [_find_gap(word[-1], following[0], ink) for word, following in pairwise(words)]
    begins = [_trim(0.0, words[0][0], ink), *(end for _, end in gaps)]
    ends = [*(begin for begin, _ in gaps), 1 - _trim(0.0, 1 - words[-1][-1], ink[::-1])]
    return [
        [begin, *(_find_cut(a, b, ink) for a, b in pairwise(word)), end]
        for word, begin, end in zip(words, begins, ends, strict=True)
    ]


def _find_gap(left: float, right: float, ink: Ink) -> tuple[float, float]:
    """Return where the widest gap between two places begins and ends; both their middle if there is none."""
    first, last = _part_at(left, ink), _part_at(right, ink)
    inked = [first, *(first + 1 + np.flatnonzero(ink[first + 1 : last])), last]
    begin, end = max(pairwise(inked), key=lambda pair: pair[1] - pair[0], default=(first, last))
    if end - begin < 2:
        return (left + right) / 2, (left + right) / 2
    return (begin + 1) / len(ink), end / len(ink)


def _find_cut(left: float, right: float, ink: Ink) -> float:
    """Return where the least ink is in the middle half between two places."""
    quarter = (right - left) / 4
    first, last = _part_at(left + quarter, ink), _part_at(right - quarter, ink)
    middle = (first + last) / 2
    best = min(range(first, last + 1), key=lambda part: (ink[part], abs(part - middle)))
    return min(max((best + 0.5) / len(ink), left), right)


def _trim(left: float, right: float, ink: Ink) -> float:
    """Return where the first ink between two places is; the first of them if there is none."""
    first, last = _part_at(left, ink), _part_at(right, ink)
    inked = np.flatnonzero(ink[first : last + 1])
    return (first + int(inked[0])) / len(ink) if inked.size else left


def _part_at(place: float, ink: Ink) -> int:
    return min(max(int(place * len(ink)), 0), len(ink) - 1)


def _make_word(word: Sequence[Character], edges: Sequence[float], corners: Polygon) -> TextWord:
    glyphs = tuple(
        TextGlyph(text=character.text, polygon=_between(corners, left, right), confidence=character.confidence)
        for character, (left, right) in zip(word, pairwise(edges), strict=True)
    )
    return TextWord(
        text="".join(character.text for character in word),
        polygon=_between(corners, edges[0], edges[-1]),
        confidence=float(np.mean([character.confidence for character in word])),
        glyphs=glyphs,
    )


def _between(corners: Polygon, left: float, right: float) -> Polygon:
    """Return the part of a box that lies between two fractions of its length."""
    left_top, right_top, right_bottom, left_bottom = np.asarray(corners, np.float64)
    points = (
        left_top + (right_top - left_top) * left,
        left_top + (right_top - left_top) * right,
        left_bottom + (right_bottom - left_bottom) * right,
        left_bottom + (right_bottom - left_bottom) * left,
    )
    return tuple((float(x), float(y)) for x, y in points)
