"""Finds the lines of text of a page by its ink, skewed, curved or close together, and says where each piece belongs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from .page_ink import PageInk

_LETTER = 12.0  # px of a letter's height in the reduced copy
_ALONG, _ACROSS = 3.0, 0.36  # letter heights, by which ink is blurred along the lines and across them
_WEAK = 0.25  # of the usual ridge; weaker ones are ascenders, descenders and marks between lines
_FRINGE, _NEAR = 0.4, 1.7  # of the length of a line, and letter heights from it: shorter and nearer ridges belong to it
_BRIDGE = 8.0  # letter heights that a line may be interrupted for
_TALL, _BEYOND = 1.8, 0.3  # letter heights of a piece in two lines, and by which it reaches beyond the middle of both
_AS_LETTERS, _OFF = (0.8, 2.0), 1.1  # letter heights of pieces that are as tall as letters, and from any line's middle
_STEP = 0.6  # letter heights by which a line may be higher or lower on the other side of an interruption

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Where a line runs. heights: (n,) y in px at each of n columns, `step` px apart, the first at x = `left`."""

    left: float
    step: float
    heights: Floats

    def height_at(self, x: Floats | float) -> Floats:
        """Return y at x; beyond its ends the line goes on level."""
        places = self.left + self.step * np.arange(len(self.heights))
        return np.asarray(np.interp(x, places, self.heights))

    @property
    def right(self) -> float:
        return self.left + self.step * (len(self.heights) - 1)


def find_courses(ink: PageInk) -> list[Course]:
    """Return where the lines run, from top to bottom: ridges of the ink when it is blurred along the lines."""
    factor = min(1.0, _LETTER / ink.letter)
    letter = ink.letter * factor
    mask = (ink.pieces > 0).astype(np.float32)
    size = [max(1, round(side * factor)) for side in mask.shape[::-1]]
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    blur = cv2.GaussianBlur(small, (0, 0), sigmaX=_ALONG * letter, sigmaY=_ACROSS * letter)
    blurred = np.asarray(blur, np.float32)
    above, below = np.roll(blurred, 1, axis=0), np.roll(blurred, -1, axis=0)
    above[0], below[-1] = 0, 0
    usual = float(np.median(blurred.max(axis=0)[blurred.max(axis=0) > 0.01])) if blurred.max() > 0.01 else 0.01
    is_ridge = (blurred > above) & (blurred >= below) & (blurred > _WEAK * usual)
    segments = _follow(is_ridge, blurred)
    joined = _join([segment for segment in segments if len(segment.heights) >= letter / 2], letter)
    courses = _drop_weak(joined, letter)
    back_x, back_y = mask.shape[1] / size[0], mask.shape[0] / size[1]
    found = [Course((one.left + 0.5) * back_x, back_x, (one.heights + 0.5) * back_y) for one in courses]
    return sorted(_add_short_lines(ink, found), key=lambda course: float(course.heights.mean()))


def _add_short_lines(ink: PageInk, courses: list[Course]) -> list[Course]:
    """Return the lines with those of a few letters close to a longer one, as at the end of a paragraph, whose ridge is
    too weak beside it: pieces as tall as letters that are too far from all lines to be of any.
    """
    if not courses:
        return courses
    least, most = (share * ink.letter for share in _AS_LETTERS)
    tall = ink.boxes[:, 3] - ink.boxes[:, 1]
    middles = (ink.boxes[:, :2] + ink.boxes[:, 2:]) / 2
    distances = np.min([np.abs(course.height_at(middles[:, 0]) - middles[:, 1]) for course in courses], axis=0)
    is_off = (tall >= least) & (tall <= most) & (distances >= _OFF * ink.letter)
    is_off[0] = False
    added: list[list[NDArray[np.float64]]] = []
    for place in sorted(middles[is_off], key=lambda middle: float(middle[0])):
        near = [
            line
            for line in added
            if abs(line[-1][1] - place[1]) <= _STEP * ink.letter and place[0] - line[-1][0] <= _BRIDGE * ink.letter
        ]
        if near:
            near[-1].append(place)
        else:
            added.append([place])
    return courses + [_connect(np.array(line)) for line in added]


def _connect(places: Floats) -> Course:
    """Return the line through places, (n, 2) x and y in px, from left to right."""
    columns = np.arange(places[0, 0], places[-1, 0] + 1)
    return Course(float(columns[0]), 1.0, np.interp(columns, places[:, 0], places[:, 1]))


def assign_pieces(ink: PageInk, courses: list[Course]) -> NDArray[np.int64]:
    """Return the line of each piece, (pieces + 1,), the nearest one. There must be a line."""
    middle = (ink.boxes[:, 0] + ink.boxes[:, 2]) / 2
    heights = (ink.boxes[:, 1] + ink.boxes[:, 3]) / 2
    distances = np.stack([np.abs(course.height_at(middle) - heights) for course in courses])
    beyond = np.stack(
        [np.maximum(np.maximum(course.left - middle, middle - course.right), 0.0) for course in courses]
    )  # a line in another column is farther away than one that the piece is in
    return np.asarray(np.argmin(distances + 0.5 * beyond, axis=0))


def part_lines(ink: PageInk, courses: list[Course]) -> PageInk:
    """Return ink in which pieces that reach from one line through another are cut half-way between the two."""
    pieces, boxes, areas = ink.pieces.copy(), list(ink.boxes), list(ink.areas)
    tall = ink.boxes[1:, 3] - ink.boxes[1:, 1] > _TALL * ink.letter
    for piece in (np.flatnonzero(tall) + 1).tolist():
        crossed = _find_crossed(ink, piece, courses)
        if len(crossed) < 2:
            continue
        left, top, right, bottom = ink.boxes[piece].tolist()
        rows, columns = np.nonzero(ink.pieces[top:bottom, left:right] == piece)
        rows, columns = rows + top, columns + left
        nearest = np.argmin([np.abs(course.height_at(columns) - rows) for course in crossed], axis=0)
        for number in np.unique(nearest).tolist():
            is_here = nearest == number
            box, area = _around(rows[is_here], columns[is_here]), np.int32(is_here.sum())
            if number == nearest[0]:
                boxes[piece], areas[piece] = box, area
            else:
                pieces[rows[is_here], columns[is_here]] = len(boxes)
                boxes.append(box)
                areas.append(area)
    return replace(ink, pieces=pieces, boxes=np.stack(boxes), areas=np.array(areas, np.int32))


def _find_crossed(ink: PageInk, piece: int, courses: list[Course]) -> list[Course]:
    """Return the lines through which a piece reaches."""
    left, top, right, bottom = ink.boxes[piece].tolist()
    beyond = _BEYOND * ink.letter
    return [one for one in courses if top + beyond < float(one.height_at((left + right) / 2)) < bottom - beyond]


def _around(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return the box of some px, at least one."""
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.int32)


@dataclass(slots=True, eq=False)
class _Ridge:
    """A ridge in px of the reduced copy, a height for each of its columns."""

    left: int
    heights: Floats
    strength: float

    @property
    def right(self) -> int:
        return self.left + len(self.heights) - 1


def _follow(is_ridge: NDArray[np.bool_], blurred: NDArray[np.float32]) -> list[_Ridge]:
    """Return the connected ridges; where one forks, its stronger branch."""
    count, numbers = cv2.connectedComponents(is_ridge.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    rows, columns = np.nonzero(numbers)
    owners = numbers[rows, columns]
    order = np.lexsort((blurred[rows, columns], columns, owners))
    rows, columns, owners = rows[order], columns[order], owners[order]
    is_last = np.append((owners[1:] != owners[:-1]) | (columns[1:] != columns[:-1]), True)
    rows, columns, owners = rows[is_last], columns[is_last], owners[is_last]
    starts = np.searchsorted(owners, np.arange(1, count + 1))
    return [
        _Ridge(int(columns[a]), rows[a:b].astype(np.float64), float(blurred[rows[a:b], columns[a:b]].mean()))
        for a, b in pairwise(starts.tolist())
        if b > a
    ]


def _join(ridges: list[_Ridge], letter: float) -> list[_Ridge]:
    """Join ridges that go on in one another's direction."""
    joined: list[_Ridge] = []
    for ridge in sorted(ridges, key=lambda one: one.left):
        before = [
            one
            for one in joined
            if -letter <= ridge.left - one.right <= _BRIDGE * letter
            and abs(ridge.heights[: round(letter)].mean() - one.heights[-round(letter) :].mean()) <= _STEP * letter
        ]
        if not before:
            joined.append(ridge)
            continue
        last = max(before, key=lambda one: one.right)
        gap = ridge.left - last.right - 1
        bridge = np.linspace(last.heights[-1], ridge.heights[0], max(gap, 0) + 2)[1:-1]
        total = len(last.heights) + len(ridge.heights)
        last.strength = (last.strength * len(last.heights) + ridge.strength * len(ridge.heights)) / total
        last.heights = np.concatenate([last.heights, bridge, ridge.heights[max(-gap, 0) :]])
    return joined


def _drop_weak(ridges: list[_Ridge], letter: float) -> list[_Ridge]:
    """Return the ridges that are about as strong as those that the most ink lies on."""
    if not ridges:
        return []
    masses = np.array([ridge.strength * len(ridge.heights) for ridge in ridges])
    order = np.argsort([ridge.strength for ridge in ridges])
    total = np.cumsum(masses[order])
    usual = ridges[int(order[np.searchsorted(total, total[-1] / 2)])].strength
    strong = [ridge for ridge in ridges if ridge.strength > 1.6 * _WEAK * usual]
    return [ridge for ridge in strong if not any(_is_fringe(ridge, other, letter) for other in strong)]


def _is_fringe(ridge: _Ridge, line: _Ridge, letter: float) -> bool:
    """Return whether a ridge is made by what hangs from a line, or stands above it: it is short and near."""
    if len(ridge.heights) > _FRINGE * len(line.heights) or ridge.strength > line.strength:
        return False
    columns = np.arange(max(ridge.left, line.left), min(ridge.right, line.right) + 1)
    if len(columns) < len(ridge.heights) / 2:
        return False
    apart = np.abs(ridge.heights[columns - ridge.left] - line.heights[columns - line.left])
    return bool(np.median(apart) < _NEAR * letter)
