"""Orders the ink of a line into parts: the smallest pieces of which a glyph may consist.

Dots, hats and bars belong to the letter under or over which they stand. Other pieces above each other are parts one
after another, and how far they overlap sideways is told, so that whoever reads can make it dear to part them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .cuts import cut_piece
from .page_ink import PageInk

_LOW = 0.42  # letter heights; lower pieces are dots, hats and bars
_SMALL = 0.3  # of the ink of a usual letter; so are pieces with less, unless they are as tall as letters
_HAT, _HAT_SINKS, _HAT_OVER = 0.75, 0.3, 0.6  # letter heights; of its own height and width, over a letter
_ABOVE = 0.5  # of the narrower one, by which a mark and a letter stand above each other
_DOT = 0.75  # letter heights: the most that dots are wide and high
_DOT_SINKS, _DOT_APART = 0.25, 0.3  # of a letter's height, and letter heights beside it: a dot that is nearly above it
_WIDEST, _NARROW = 1.0, 1.2  # letter heights, and widths of the narrower quarter: letters are hardly wider than both
_WIDE = 1.45  # of the usual width; wider pieces may be letters that touch


@dataclass(frozen=True, slots=True, eq=False)
class LineParts:
    """owners: (height, width) of the line's box, the number of the part of each px from 1, 0 = ground. left, top: of
    that box. boxes: (n, 4) of the parts in px of the page. cuts: (n,) the ink, in pen widths, of the cut that parts
    each part from the one before it; 0 = none. overlaps: (n,) by how much of the narrower one it stands above or below
    the one before it, 0 to 1.
    """

    owners: NDArray[np.int32]
    left: int
    top: int
    boxes: NDArray[np.int32]
    cuts: NDArray[np.float32]
    overlaps: NDArray[np.float32]


@dataclass(slots=True, eq=False)
class _Part:
    """Fragments of ink that are one part. cut: see LineParts.cuts; that of the first fragment. is_whole: not cut."""

    box: tuple[int, int, int, int]
    fragments: list[int]
    area: float
    cut: float = 0.0
    is_whole: bool = True

    @property
    def middle(self) -> float:
        return (self.box[0] + self.box[2]) / 2

    def add(self, other: _Part) -> None:
        left, top, right, bottom = self.box
        self.box = (
            min(left, other.box[0]), min(top, other.box[1]), max(right, other.box[2]), max(bottom, other.box[3]),
        )  # fmt: skip
        self.fragments += other.fragments
        self.area += other.area


def usual_width(ink: PageInk) -> float:
    """Return the median width, in px, of pieces that are as tall as letters; or less, by the narrower ones, because
    most pieces may be several letters that touch.
    """
    tall = (ink.boxes[1:, 3] - ink.boxes[1:, 1]) > _LOW * ink.letter
    wide = ink.boxes[1:, 2] - ink.boxes[1:, 0]
    if not tall.any():
        return ink.letter
    narrow, usual = np.percentile(wide[tall], (25, 50))
    return float(min(usual, max(_WIDEST * ink.letter, _NARROW * narrow)))


def find_parts_of_line(ink: PageInk, pieces: NDArray[np.intp], width: float) -> LineParts:
    """Return the parts of a line. pieces: its pieces, at least one. width: see usual_width."""
    left, top = (int(ink.boxes[pieces, side].min()) for side in (0, 1))
    right, bottom = (int(ink.boxes[pieces, side].max()) for side in (2, 3))
    fragments = np.zeros((bottom - top, right - left), np.int32)
    parts, marks = _take_apart(ink, pieces, width, (left, top), fragments)
    _join_marks(parts, marks, ink.letter)
    parts.sort(key=lambda part: part.middle)
    number = np.zeros(fragments.max() + 1, np.int32)
    for i, part in enumerate(parts, 1):
        number[part.fragments] = i
    return LineParts(
        owners=_add_rims(number[fragments]),
        left=left,
        top=top,
        boxes=np.array([part.box for part in parts], np.int32),
        cuts=_cuts(parts),
        overlaps=_overlaps(parts),
    )


def _take_apart(
    ink: PageInk, pieces: NDArray[np.intp], width: float, origin: tuple[int, int], fragments: NDArray[np.int32]
) -> tuple[list[_Part], list[_Part]]:
    """Return the letters and the marks among pieces, and write the number of each fragment to `fragments`."""
    letters: list[_Part] = []
    marks: list[_Part] = []
    letter_ink = ink.pen * ink.letter * 1.5
    count = 0
    for piece in pieces.tolist():
        left, top, right, bottom = ink.boxes[piece].tolist()
        mask = (ink.pieces[top:bottom, left:right] == piece).astype(np.uint8)
        tall, wide = bottom - top, right - left
        is_mark = tall < _LOW * ink.letter or (
            ink.areas[piece] < _SMALL * letter_ink and max(tall, wide) < 0.7 * ink.letter
        )
        crossed: tuple[float, ...] = ()
        numbers = mask.astype(np.int32)
        if not is_mark and wide > _WIDE * width:
            cut = cut_piece(mask, ink.letter, ink.pen)
            numbers, crossed = cut.numbers, cut.crossed
        target = fragments[top - origin[1] : bottom - origin[1], left - origin[0] : right - origin[0]]
        np.copyto(target, numbers + count, where=numbers > 0)
        for number, price in enumerate((0.0, *crossed), 1):
            found = _box_of(numbers == number)
            if found is None:
                continue
            box = (left + found[0], top + found[1], left + found[2], top + found[3])
            part = _Part(box, [count + number], float(np.count_nonzero(numbers == number)), price, not crossed)
            (marks if is_mark else letters).append(part)
        count += len(crossed) + 1
    return letters, marks


def _join_marks(parts: list[_Part], marks: list[_Part], letter: float) -> None:
    """Add each mark to the letter that it stands above or below, or is inside of; else it is a part by itself, together
    with the marks above and below it. Hats may be as high as letters; they are known by the letter below them.
    """
    hats = _find_hats(parts, letter)
    parts[:] = [part for part in parts if part not in hats]
    alone: list[_Part] = []
    boxes = np.array([part.box for part in parts]).reshape(-1, 4)
    for mark in sorted(marks + hats, key=lambda one: -one.area):
        best = _find_letter(boxes, mark, letter)
        if best is not None:
            parts[best].add(mark)
            continue
        for other in alone:
            if _overlap_shares(np.array([other.box]), mark.box)[0] >= _ABOVE:
                other.add(mark)
                break
        else:
            alone.append(mark)
    parts += alone


def _find_letter(boxes: NDArray[np.int64], mark: _Part, letter: float) -> int | None:
    """Return which letter a mark belongs to: one that it is above, below or in, else one that it is nearly above."""
    if not len(boxes):
        return None
    shares = _overlap_shares(boxes, mark.box)
    middles = np.abs((boxes[:, 0] + boxes[:, 2]) / 2 - mark.middle)
    if shares.max() >= _ABOVE:
        return int(np.where(shares >= max(_ABOVE, shares.max() - 0.15), middles, np.inf).argmin())
    if max(mark.box[2] - mark.box[0], mark.box[3] - mark.box[1]) > _DOT * letter:
        return None
    is_above = mark.box[3] <= boxes[:, 1] + _DOT_SINKS * (boxes[:, 3] - boxes[:, 1])
    apart = np.maximum(np.maximum(boxes[:, 0] - mark.box[2], mark.box[0] - boxes[:, 2]), 0)
    near = np.where(is_above & (apart <= _DOT_APART * letter), middles, np.inf)
    return int(near.argmin()) if np.isfinite(near).any() else None


def _find_hats(parts: list[_Part], letter: float) -> list[_Part]:
    """Return the parts that stand wholly above or below a larger one, and are lower than letters."""
    boxes = np.array([part.box for part in parts]).reshape(-1, 4)
    areas = np.array([part.area for part in parts])
    hats = []
    for part in parts:
        if part.box[3] - part.box[1] > _HAT * letter or not part.is_whole:
            continue
        shared = np.minimum(boxes[:, 3], part.box[3]) - np.maximum(boxes[:, 1], part.box[1])
        is_apart = shared <= _HAT_SINKS * (part.box[3] - part.box[1])
        if (is_apart & (_overlap_shares(boxes, part.box) >= _HAT_OVER) & (areas > part.area)).any():
            hats.append(part)
    return hats


def _add_rims(owners: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the numbers of the parts with the px around them, where ink is too pale to be sure of."""
    grown = cv2.dilate(owners.astype(np.float32), np.ones((3, 3), np.uint8))
    return np.where(owners > 0, owners, grown.astype(np.int32))


def _overlap_shares(boxes: NDArray[np.int64], box: tuple[int, int, int, int]) -> NDArray[np.float64]:
    """Return by how much of the narrower one each box overlaps another sideways, (n,), 0 to 1."""
    shared = np.minimum(boxes[:, 2], box[2]) - np.maximum(boxes[:, 0], box[0])
    narrower = np.minimum(boxes[:, 2] - boxes[:, 0], box[2] - box[0])
    return np.asarray(np.maximum(shared, 0) / np.maximum(narrower, 1))


def _box_of(mask: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else None


def _cuts(parts: list[_Part]) -> NDArray[np.float32]:
    return np.array([part.cut for part in parts], np.float32)


def _overlaps(parts: list[_Part]) -> NDArray[np.float32]:
    shares = [0.0]
    for before, part in pairwise(parts):
        shares.append(float(_overlap_shares(np.array([before.box]), part.box)[0]))
    return np.array(shares, np.float32)
