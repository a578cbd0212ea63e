"""Small marks: dots and accents around a character, as hands put them.

One dot tells apart many letters of Arabic, and one small sign many syllables. So whole families of characters are made
that differ in nothing but the shape or the place of such a mark.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .polylines import Drawing, Points

SHAPES = ("dot", "two dots", "three dots", "ring", "caron", "wave", "acute", "grave", "vertical")
PLACES = ((0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (1, -1), (-1, 1), (1, 1), (0, 0))
"""Sides of a character's box, x right and y down; the last one is its middle."""
SMALL = 0.2
"""Longest side of a stroke that counts as a mark, relative to the character."""
_GAP = 0.2
_ACCENT = 0.18
_DOTS_APART = 0.15
_JOINED_DOTS = 0.25
"""Share of drawings in which two dots are a dash and three are an angle, as quick hands write them."""


@dataclass(frozen=True)
class Mark:
    """A mark: one of SHAPES at one of PLACES."""

    shape: str
    place: tuple[int, int]


def choose_marks(rng: np.random.Generator, number: int) -> list[Mark | None]:
    """Return different marks, each of which differs in one thing from another one; None is no mark at all.

    number: at most 50.
    """
    chosen: list[Mark | None] = [_choose_mark(rng)]
    if number > 1 and rng.random() < 0.7:
        chosen.append(None)
    while len(chosen) < number:
        known = [mark for mark in chosen if mark is not None]
        other = _change_mark(known[int(rng.integers(len(known)))], rng)
        if other not in chosen:
            chosen.append(other)
    return chosen


def _choose_mark(rng: np.random.Generator) -> Mark:
    return Mark(SHAPES[int(rng.integers(len(SHAPES)))], PLACES[int(rng.integers(len(PLACES)))])


def _change_mark(mark: Mark, rng: np.random.Generator) -> Mark:
    """Return a mark of another shape or at another place."""
    other = _choose_mark(rng)
    return replace(mark, shape=other.shape) if rng.random() < 0.5 else replace(mark, place=other.place)


def strip_marks(drawing: Drawing) -> Drawing:
    """Return a drawing without its small strokes, centered; as it is if there are no others."""
    large = [s for s in drawing.strokes() if np.ptp(s, axis=0).max() >= SMALL]
    return Drawing.from_strokes(large).center() if large else drawing


def add_mark(drawing: Drawing, mark: Mark, rng: np.random.Generator) -> Drawing:
    """Return a drawing with a mark at a side of its box, centered; each time a little elsewhere, as by other hands."""
    low, high = drawing.points.min(0), drawing.points.max(0)
    # Corners of a narrow character are too near to each other, so they lie further outside.
    reach = np.maximum((high - low) / 2, (0.3, 0.1)) + np.array((0.0 if mark.place[1] else 1.0, 1.0)) * _GAP
    place = (low + high) / 2 + np.array(mark.place) * reach * np.exp(rng.normal(0, 0.06)) + rng.normal(0, 0.025, 2)
    strokes = [(s + place).astype(np.float32) for s in _draw_shape(mark.shape, rng)]
    return Drawing.from_strokes([*drawing.strokes(), *strokes]).center()


def _draw_shape(shape: str, rng: np.random.Generator) -> list[Points]:
    """Return the strokes of a shape around the origin."""
    if shape.endswith(("dot", "dots")):
        return _draw_dots(("dot", "two dots", "three dots").index(shape) + 1, rng)
    size = _ACCENT * np.exp(rng.normal(0, 0.2))
    return [(_trace_accent(shape) * size).astype(np.float32)]


def _draw_dots(number: int, rng: np.random.Generator) -> list[Points]:
    """Return dots side by side, a third one above or below them; some hands join them."""
    apart = _DOTS_APART * np.exp(rng.normal(0, 0.15))
    side = 1 if rng.random() < 0.2 else -1
    places = np.array([(-0.5, 0), (0.5, 0), (0, 0.8 * side)] if number > 1 else [(0, 0)])[:number] * apart
    if number > 1 and rng.random() < _JOINED_DOTS:
        return [places[[0, 2, 1] if number == 3 else [0, 1]].astype(np.float32)]
    tails = rng.normal(0, 0.02, (number, 2))
    return [np.stack([place, place + tail]).astype(np.float32) for place, tail in zip(places, tails, strict=True)]


def _trace_accent(shape: str) -> NDArray[np.float64]:
    """Return the line of an accent, (n, 2), about one unit long."""
    if shape == "ring":
        angle = np.linspace(0, 2 * np.pi, 11)
        return 0.45 * np.stack([np.sin(angle), -np.cos(angle)], 1)
    if shape == "wave":
        x = np.linspace(-0.8, 0.8, 11)
        return np.stack([x, -0.25 * np.sin(x * np.pi / 0.8)], 1)
    lines = {
        "caron": [(-0.5, -0.3), (0, 0.4), (0.5, -0.3)],
        "acute": [(0.4, -0.5), (-0.4, 0.5)],
        "grave": [(-0.4, -0.5), (0.4, 0.5)],
        "vertical": [(0, -0.6), (0, 0.6)],
    }
    return np.array(lines[shape])
