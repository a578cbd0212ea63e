"""Divides the ink of a glyph along a line that a person has drawn across it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.reading.taught.directions import DOWNWARDS, LEFTWARDS, RIGHTWARDS
from haleganada_server.core.reading.taught.ink import LineInk

from .regrouping import Piece

_INKED = 128  # level from which on a px is ink
_LEAST_SHARE, _LEAST_INK = 0.04, 3  # of a part's ink, and px, that a line leaves on either side of a part that it cuts

Point = tuple[float, float]
Line = tuple[Point, Point]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """ink: of the whole line of text, by its new parts. pieces: what stands for the parts of the glyph, in order; their
    origins are numbers in the line. wall: how many of them are before the line.
    """

    ink: LineInk
    pieces: list[Piece]
    wall: int


def divide(ink: LineInk, first: int, last: int, line: Line, direction: int = RIGHTWARDS) -> Division:
    """Divide some parts of a line of text; those that the line crosses are cut. Of the two sides that is first whose
    ink comes first in the direction of the line of text. first, last: numbers in the line from 0, the last one
    exclusive. line: two points in px of the lattice. Raises InvalidInput if all of the ink is on one side.
    """
    is_behind = _find_side(ink, line)
    inked = (ink.owners > first) & (ink.owners <= last) & (ink.levels >= _INKED)
    if not (inked & is_behind).any() or not (inked & ~is_behind).any():
        raise _undivided()
    if _place(inked & is_behind, direction) < _place(inked & ~is_behind, direction):
        is_behind = ~is_behind
    fragments = [one for part in range(first, last) for one in _divide_part(ink, part, is_behind)]
    before, behind = ([one for one in fragments if one[1] == side] for side in (False, True))
    if not before or not behind:
        raise _undivided()
    cut = {part for part, _, _ in before} & {part for part, _, _ in behind}
    ordered = [*before, *behind]
    pieces = [Piece(part, side and part in cut, _measure_box(ink, mask)) for part, side, mask in ordered]
    return Division(_renumber(ink, first, last, [mask for _, _, mask in ordered]), pieces, len(before))


def _find_side(ink: LineInk, line: Line) -> Mask:
    """Return which px are on one side of a line."""
    (x0, y0), (x1, y1) = line
    rows, columns = np.indices(ink.owners.shape)
    x, y = columns + (ink.left + 0.5), rows + (ink.top + 0.5)
    return np.asarray((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) < 0)


def _divide_part(ink: LineInk, part: int, is_behind: Mask) -> Iterator[tuple[int, bool, Mask]]:
    """Yield a part, or both of its pieces: its number, its side, and its px."""
    is_own = ink.owners == part + 1
    inked = is_own & (ink.levels >= _INKED)
    behind, total = int((inked & is_behind).sum()), int(inked.sum())
    least = max(_LEAST_INK, _LEAST_SHARE * total)
    if least <= behind <= total - least:
        yield part, False, is_own & ~is_behind
        yield part, True, is_own & is_behind
    else:
        yield part, behind > total / 2, is_own


def _renumber(ink: LineInk, first: int, last: int, masks: Sequence[Mask]) -> LineInk:
    """Return the ink with other parts in the place of some."""
    more = len(masks) - (last - first)
    owners = np.where(ink.owners > last, ink.owners + max(more, 0), ink.owners).astype(np.uint16)
    for number, mask in enumerate(masks, first + 1):
        owners[mask] = number
    return replace(ink, owners=owners)


def _measure_box(ink: LineInk, mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask & (ink.levels >= _INKED))
    left, top = ink.left + int(columns.min()), ink.top + int(rows.min())
    return left, top, ink.left + int(columns.max()) + 1, ink.top + int(rows.max()) + 1


def _place(mask: Mask, direction: int) -> float:
    """Return how far in a direction ink is."""
    rows, columns = np.nonzero(mask)
    return float(
        rows.mean() if direction == DOWNWARDS else -columns.mean() if direction == LEFTWARDS else columns.mean()
    )


def _undivided() -> InvalidInput:
    return InvalidInput(
        "split", "the line does not divide the ink of this glyph; draw it from edge to edge between two"
    )
