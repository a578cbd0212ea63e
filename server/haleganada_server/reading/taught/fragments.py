"""Takes the connected pieces of a line apart: into letters, or fragments of letters that may touch, and marks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .cuts import cut_piece
from .lines import Course
from .page_ink import PageInk

LOW = 0.42
"""Letter heights; lower pieces are dots, hats, bars and arms of letters."""
_SMALL = 0.3  # of the ink of a usual letter; so are pieces with less, unless they are as tall as letters
_SHORT = 0.7  # letter heights: pieces with that little ink are marks up to there
_WIDE = 1.45  # of the usual width; wider pieces may be several letters that touch
_FAIRLY_WIDE = 1.0  # likewise; wider pieces may be a letter, and one or a part of one that touches it
_ARM = 0.9  # letter heights that an arm has at most
ABOVE = 0.5
"""Of the narrower one, by which two parts stand above each other."""

Floats = NDArray[np.float64]
Box = tuple[int, int, int, int]


@dataclass(slots=True, eq=False)
class Part:
    """Fragments of ink that are one part. piece: the connected ink that it is of, or most of it. contacts: by the
    number of a fragment of another part, the ink in pen widths through which they are cut apart.
    """

    box: Box
    fragments: list[int]
    area: float
    piece: int
    contacts: dict[int, float] = field(default_factory=dict)

    @property
    def middle(self) -> float:
        return (self.box[0] + self.box[2]) / 2

    def add(self, other: Part) -> None:
        self.box = join_boxes(self.box, other.box)
        self.fragments += other.fragments
        self.area += other.area
        for number, contact in other.contacts.items():
            self.contacts[number] = self.contacts.get(number, 0.0) + contact
        for number in self.fragments:
            self.contacts.pop(number, None)

    def contact_with(self, other: Part) -> float:
        return sum(self.contacts.get(number, 0.0) for number in other.fragments)


def take_apart(
    ink: PageInk, pieces: NDArray[np.intp], width: float, course: Course, place: tuple[int, int, NDArray[np.int32]]
) -> tuple[list[Part], list[Part]]:
    """Return the letters and the marks among pieces, and write the number of each fragment, from 1, to an array. width:
    of usual letters. course: of their line. place: left and top of the line, and that array.
    """
    letters: list[Part] = []
    marks: list[Part] = []
    count = 0
    *origin, fragments = place
    for piece in pieces.tolist():
        left, top, right, bottom = ink.boxes[piece].tolist()
        mask = (ink.pieces[top:bottom, left:right] == piece).astype(np.uint8)
        is_mark = _is_mark(ink, bottom - top, right - left, float(ink.areas[piece]))
        numbers = mask.astype(np.int32)
        if not is_mark and right - left > _FAIRLY_WIDE * width:
            numbers = cut_piece(mask, ink.letter, ink.pen, once=right - left <= _WIDE * width)
        target = fragments[top - origin[1] : bottom - origin[1], left - origin[0] : right - origin[0]]
        np.copyto(target, numbers + count, where=numbers > 0)
        found = list(_describe(numbers, piece, count, (left, top), ink.pen))
        count += len(found)
        _join_runs(found, ink.letter)
        (marks if is_mark else letters).extend(found)
    middle = course.height_at(np.arange(fragments.shape[1], dtype=np.float64) + origin[0]) - origin[1]
    _join_arms(letters, ink.letter, middle, fragments)
    return letters, marks


def _is_mark(ink: PageInk, tall: int, wide: int, area: float) -> bool:
    usual_ink = ink.pen * ink.letter * 1.5
    return tall < LOW * ink.letter or (area < _SMALL * usual_ink and max(tall, wide) < _SHORT * ink.letter)


def _describe(numbers: NDArray[np.int32], piece: int, count: int, origin: tuple[int, int], pen: float) -> list[Part]:
    """Return the fragments of a piece, numbered from count + 1. numbers: (height, width), 0 = ground."""
    parts = []
    for number in range(1, int(numbers.max()) + 1):
        mask = numbers == number
        columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        box = (origin[0] + int(columns[0]), origin[1] + int(rows[0]),
               origin[0] + int(columns[-1]) + 1, origin[1] + int(rows[-1]) + 1)  # fmt: skip
        parts.append(Part(box, [count + number], float(np.count_nonzero(mask)), piece))
    for (a, b), length in measure_contacts(numbers).items():
        parts[a - 1].contacts[count + b] = parts[b - 1].contacts[count + a] = length / pen
    return parts


def measure_contacts(numbers: NDArray[np.int32]) -> dict[tuple[int, int], float]:
    """Return the length in px of the borders between fragments, by their numbers, the lower one first."""
    found: dict[tuple[int, int], list[float]] = {}
    for axis, (one, other) in enumerate(((numbers[:, :-1], numbers[:, 1:]), (numbers[:-1], numbers[1:]))):
        is_border = (one != other) & (one > 0) & (other > 0)
        pairs = np.sort(np.stack([one[is_border], other[is_border]], axis=1), axis=1)
        for pair, times in zip(*np.unique(pairs, axis=0, return_counts=True), strict=True):
            found.setdefault((int(pair[0]), int(pair[1])), [0.0, 0.0])[axis] = float(times)
    return {pair: float(np.hypot(lengths[0], lengths[1])) for pair, lengths in found.items()}


def _join_runs(parts: list[Part], letter: float) -> None:
    """Join neighbors both of which are low: they are one stroke, and nothing in it can be a letter."""
    i = 0
    while i + 1 < len(parts):
        joined = join_boxes(parts[i].box, parts[i + 1].box)
        if parts[i].contact_with(parts[i + 1]) and joined[3] - joined[1] < LOW * letter:
            parts[i].add(parts.pop(i + 1))
        else:
            i += 1


def _join_arms(parts: list[Part], letter: float, middle: Floats, fragments: NDArray[np.int32]) -> None:
    """Join what was cut off to what it touches most, where it is an arm that reaches over or under other ink. middle:
    (width,), where the line runs.
    """
    if not any(part.contacts for part in parts):
        return
    tops, bottoms = (list(rows) for rows in find_profiles(parts, fragments))
    i = 0
    while i < len(parts):
        touched = [j for j, other in enumerate(parts) if parts[i].contact_with(other)] if parts[i].contacts else []
        is_low = parts[i].box[3] - parts[i].box[1] <= _ARM * letter
        if not touched or not is_low or not _reaches_over(i, touched, np.array(tops), np.array(bottoms), middle):
            i += 1
            continue
        body = max(touched, key=lambda j: parts[i].contact_with(parts[j]))
        parts[body].add(parts[i])
        tops[body], bottoms[body] = np.minimum(tops[body], tops[i]), np.maximum(bottoms[body], bottoms[i])
        del parts[i], tops[i], bottoms[i]
        i = 0


def find_profiles(parts: list[Part], fragments: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the uppermost and the lowest row of each part in each column, (parts, width); where it has no ink, below
    and above all rows.
    """
    height, width = fragments.shape
    owners = np.full(fragments.max() + 1, -1)
    for i, part in enumerate(parts):
        owners[part.fragments] = i
    rows, columns = np.nonzero(fragments)
    numbers = owners[fragments[rows, columns]]
    rows, columns, numbers = rows[numbers >= 0], columns[numbers >= 0], numbers[numbers >= 0]
    tops, bottoms = np.full((len(parts), width), height), np.full((len(parts), width), -1)
    np.minimum.at(tops, (numbers, columns), rows)
    np.maximum.at(bottoms, (numbers, columns), rows)
    return tops, bottoms


def _reaches_over(
    i: int, touched: list[int], tops: NDArray[np.int64], bottoms: NDArray[np.int64], middle: Floats
) -> bool:
    """Return whether a part is above or below another one, and farther away from the middle of the line."""
    columns = np.flatnonzero(bottoms[i] >= 0)
    top, bottom = tops[:, columns], bottoms[:, columns]
    distance = np.abs((top + bottom) / 2 - middle[columns])
    is_over = (bottom >= 0) & ((bottom < top[i]) | (top > bottom[i])) & (distance < distance[i])
    is_over[touched] = False
    return bool((is_over.mean(axis=1) >= ABOVE).any())


def overlap_shares(boxes: NDArray[np.integer], box: Box) -> NDArray[np.float64]:
    """Return by how much of the narrower one each box overlaps another sideways, (n,), 0 to 1."""
    shared = np.minimum(boxes[:, 2], box[2]) - np.maximum(boxes[:, 0], box[0])
    narrower = np.minimum(boxes[:, 2] - boxes[:, 0], box[2] - box[0])
    return np.asarray(np.maximum(shared, 0) / np.maximum(narrower, 1))


def join_boxes(a: Box, b: Box) -> Box:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
