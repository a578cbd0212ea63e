"""Joins dots, hats and bars to the letters that they stand above, below or in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .fragments import ABOVE, Part, overlap_shares
from .page_ink import PageInk

_HAT, _HAT_SINKS, _HAT_OVER = 0.75, 0.3, 0.6  # letter heights; of its own height and width, over a letter
_MARK_SINKS = 0.25  # of a letter's height, that a mark which is not in its columns may stand beside it
_STACKED, _ALIKE = 0.7, 1.8  # of the narrower mark, and times as wide: marks above each other that are one glyph
_SIDEWAYS = 2.5  # px up or down that a px sideways counts as, from a mark to its letter
_REACH = 0.9  # letter heights from a mark to its letter
_CLEARLY, _SLIGHTLY = 1.3, 0.1  # times, and letter heights, that a mark's letter is nearer to it than any other

SPECK = 1.0
"""Of a pen's width squared: smaller marks may be dirt."""


def join_marks(
    parts: list[Part], marks: list[Part], ink: PageInk, fragments: NDArray[np.int32], origin: tuple[int, int]
) -> None:
    """Add each mark to the letter that is clearly the nearest; others are parts by themselves, with the marks above and
    below them, and so is what may be dirt. Hats may be as high as letters; they are known by the letter below them.
    fragments, origin: see take_apart.
    """
    letter, least = ink.letter, SPECK * ink.pen**2
    specks = [mark for mark in marks if mark.area < least]
    marks = [mark for mark in marks if mark.area >= least]
    hats = _find_hats(parts, letter)
    parts[:] = [part for part in parts if part not in hats]
    owners = np.full(fragments.max() + 1, -1)
    for i, part in enumerate(parts):
        owners[part.fragments] = i
    owned = owners[fragments]
    joined: list[tuple[int, Part]] = []
    alone, marks = _stack_marks(parts, marks)
    for mark in sorted(marks + hats, key=lambda one: -one.area):
        best = _find_letter(parts, mark, letter, owned, origin)
        if best is not None:
            joined.append((best, mark))
            continue
        for other in alone:
            if overlap_shares(np.array([other.box]), mark.box)[0] >= ABOVE:
                other.add(mark)
                break
        else:
            alone.append(mark)
    for best, mark in joined:
        parts[best].add(mark)
    parts += alone + specks


def _stack_marks(parts: list[Part], marks: list[Part]) -> tuple[list[Part], list[Part]]:
    """Return the glyphs that marks above each other make, as in “=” and “:”, where no letter is in their columns; and
    the other marks.
    """
    boxes = np.array([part.box for part in parts]).reshape(-1, 4)
    stacks: list[Part] = []
    single: list[Part] = []
    rest = [mark for mark in marks if not (overlap_shares(boxes, mark.box) >= ABOVE).any()]
    while rest:
        stack = rest.pop(0)
        pair = [other for other in rest if overlap_shares(np.array([other.box]), stack.box)[0] >= _STACKED]
        pair = [other for other in pair if _are_alike(stack, other)]
        for other in pair:
            rest.remove(other)
            stack.add(other)
        (stacks if pair else single).append(stack)
    return stacks, single + [mark for mark in marks if (overlap_shares(boxes, mark.box) >= ABOVE).any()]


def _are_alike(a: Part, b: Part) -> bool:
    return max(a.box[2] - a.box[0], b.box[2] - b.box[0]) < _ALIKE * min(a.box[2] - a.box[0], b.box[2] - b.box[0])


def _find_letter(
    parts: list[Part], mark: Part, letter: float, owned: NDArray[np.int64], origin: tuple[int, int]
) -> int | None:
    """Return which letter a mark belongs to. owned: (height, width), the number of the letter at each px, or -1."""
    if not parts:
        return None
    left, right = mark.box[0] - origin[0], mark.box[2] - origin[0]
    top, bottom = mark.box[1] - origin[1], mark.box[3] - origin[1]
    reach = round(_REACH * letter / _SIDEWAYS) + 1
    begin = max(0, left - reach)
    rows, columns = np.nonzero(owned[:, begin : right + reach] >= 0)
    numbers = owned[rows, columns + begin]
    columns = columns + begin
    across = np.maximum(np.maximum(left - columns, columns - right + 1), 0)
    down = np.maximum(np.maximum(top - rows, rows - bottom + 1), 0)
    distances = np.full(len(parts), np.inf)
    np.minimum.at(distances, numbers, _SIDEWAYS * across + down)
    distances /= letter
    above = np.where(_stand_above(parts, mark), distances, np.inf)
    best = int(above.argmin())
    if above[best] > _REACH:
        return None
    others = distances[[part.piece != parts[best].piece for part in parts]]
    is_doubtful = len(others) and others.min() < above[best] * _CLEARLY + _SLIGHTLY
    return None if is_doubtful else best


def _stand_above(parts: list[Part], mark: Part) -> NDArray[np.bool_]:
    """Return which parts a mark is not only beside, (parts,): it is in their columns, or higher or lower than they."""
    pieces = np.array([part.piece for part in parts])
    tops, bottoms = (np.array([part.box[side] for part in parts]) for side in (1, 3))
    for piece in np.unique(pieces):  # beside one part of a letter that was cut is beside the letter
        tops[pieces == piece], bottoms[pieces == piece] = tops[pieces == piece].min(), bottoms[pieces == piece].max()
    sinks = _MARK_SINKS * (bottoms - tops)
    is_off = (mark.box[3] <= tops + sinks) | (mark.box[1] >= bottoms - sinks)
    return np.asarray(is_off | (overlap_shares(np.array([part.box for part in parts]), mark.box) >= ABOVE))


def _find_hats(parts: list[Part], letter: float) -> list[Part]:
    """Return the parts that stand wholly above or below a larger one, and are lower than letters."""
    boxes = np.array([part.box for part in parts]).reshape(-1, 4)
    areas = np.array([part.area for part in parts])
    hats = []
    for part in parts:
        if part.box[3] - part.box[1] > _HAT * letter or part.contacts:
            continue
        shared = np.minimum(boxes[:, 3], part.box[3]) - np.maximum(boxes[:, 1], part.box[1])
        is_apart = shared <= _HAT_SINKS * (part.box[3] - part.box[1])
        if (is_apart & (overlap_shares(boxes, part.box) >= _HAT_OVER) & (areas > part.area)).any():
            hats.append(part)
    return hats
