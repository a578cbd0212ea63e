"""Orders the ink of a line into parts: the smallest pieces of which a glyph may consist.

Dots, hats and bars belong to the letter under or over which they stand. Other pieces above each other are parts one
after another, and how far they overlap sideways is told, so that whoever reads can make it dear to part them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .fragments import LOW, Part, find_profiles, take_apart
from .lines import Course
from .marks import SPECK, join_marks
from .page_ink import PageInk

_WIDEST, _NARROW = 1.0, 1.2  # letter heights, and widths of the narrower quarter: letters are hardly wider than both
_BODY, _MUCH = 0.55, 0.4  # letter heights above and below the middle of a line, and of a part's ink that is there
_STROKE = 0.8  # letter heights: a stroke as long as that in the body of the line is much, however long an arm is


@dataclass(frozen=True, slots=True, eq=False)
class LineParts:
    """owners: (height, width) of the line's box, the number of the part of each px from 1, 0 = ground. left, top: of
    that box. boxes: (n, 4) of the parts in px of the page. pieces: (n,) the connected ink that each is of. cuts: (n,)
    the ink, in pen widths, that is cut where a glyph ends before each part; 0 = none. overlaps: (n,) by how much
    of the narrower one it stands above or below the one before it, 0 to 1, less if they are apart there; arms and feet
    do not count, see _find_bodies.
    """

    owners: NDArray[np.int32]
    left: int
    top: int
    boxes: NDArray[np.int32]
    pieces: NDArray[np.int32]
    cuts: NDArray[np.float32]
    overlaps: NDArray[np.float32]


def usual_width(ink: PageInk) -> float:
    """Return the median width, in px, of pieces that are as tall as letters; or less, by the narrower ones, because
    most pieces may be several letters that touch.
    """
    tall = (ink.boxes[1:, 3] - ink.boxes[1:, 1]) > LOW * ink.letter
    wide = ink.boxes[1:, 2] - ink.boxes[1:, 0]
    if not tall.any():
        return ink.letter
    narrow, usual = np.percentile(wide[tall], (25, 50))
    return float(min(usual, max(_WIDEST * ink.letter, _NARROW * narrow)))


def find_parts_of_line(ink: PageInk, pieces: NDArray[np.intp], width: float, course: Course) -> LineParts:
    """Return the parts of a line. pieces: its pieces, at least one. width: see usual_width. course: where it runs."""
    left, top = (int(ink.boxes[pieces, side].min()) for side in (0, 1))
    right, bottom = (int(ink.boxes[pieces, side].max()) for side in (2, 3))
    fragments = np.zeros((bottom - top, right - left), np.int32)
    parts, marks = take_apart(ink, pieces, width, course, (left, top, fragments))
    join_marks(parts, marks, ink, fragments, (left, top))
    middle = course.height_at(np.arange(left, right, dtype=np.float64)) - top
    bodies = _find_bodies(parts, fragments, middle, ink)
    order = np.lexsort(([part.middle for part in parts], bodies.sum(axis=1)))
    parts, bodies = [parts[i] for i in order.tolist()], bodies[order]
    number = np.zeros(fragments.max() + 1, np.int32)
    for i, part in enumerate(parts, 1):
        number[part.fragments] = i
    return LineParts(
        owners=_add_rims(number[fragments]),
        left=left,
        top=top,
        boxes=np.array([part.box for part in parts], np.int32),
        pieces=np.array([part.piece for part in parts], np.int32),
        cuts=_measure_cuts(parts),
        overlaps=_overlaps(parts, bodies, fragments, ink),
    )


def _measure_cuts(parts: list[Part]) -> NDArray[np.float32]:
    """Return the ink, in pen widths, that is cut where a glyph ends before each part: between all parts before it and
    all from it on, because there may be a mark between the fragments of a letter.
    """
    owners = {number: i for i, part in enumerate(parts) for number in part.fragments}
    cuts = np.zeros(len(parts), np.float32)
    for i, part in enumerate(parts):
        for number, contact in part.contacts.items():
            cuts[i + 1 : owners[number] + 1] += contact
    return cuts


def _add_rims(owners: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the numbers of the parts with the px around them, where ink is too pale to be sure of."""
    grown = cv2.dilate(owners.astype(np.float32), np.ones((3, 3), np.uint8))
    return np.where(owners > 0, owners, grown.astype(np.int32))


def _find_bodies(
    parts: list[Part], fragments: NDArray[np.int32], middle: NDArray[np.float64], ink: PageInk
) -> NDArray[np.int64]:
    """Return where each part begins and ends along the line, (parts, 2) columns of fragments: in the body of the line,
    if much of its ink is there, because arms and feet that reach over or under neighbors do not say where a letter is.
    What was cut off there is where its letter is. middle: (width,), the row in which the line runs.
    """
    owners = np.full(int(fragments.max()) + 1, -1)
    for i, part in enumerate(parts):
        owners[part.fragments] = i
    rows, columns = np.nonzero(fragments)
    numbers = owners[fragments[rows, columns]]
    is_within = np.abs(rows - middle[columns]) <= _BODY * ink.letter
    areas = np.bincount(numbers, minlength=len(parts))
    much = np.minimum(_MUCH * areas, _STROKE * ink.letter * ink.pen)
    has_body = np.bincount(numbers[is_within], minlength=len(parts)) >= much
    counts = is_within | ~has_body[numbers]
    bodies = np.tile(np.array([fragments.shape[1], 0]), (len(parts), 1))
    np.minimum.at(bodies[:, 0], numbers[counts], columns[counts])
    np.maximum.at(bodies[:, 1], numbers[counts], columns[counts] + 1)
    _place_arms(parts, bodies, has_body)
    return bodies


def _place_arms(parts: list[Part], bodies: NDArray[np.int64], has_body: NDArray[np.bool_]) -> None:
    """Let what was cut off outside the body of the line begin and end where that does which it was cut from."""
    arms = [i for i in np.flatnonzero(~has_body).tolist() if parts[i].contacts]
    placed = np.flatnonzero(has_body).tolist()
    while arms and placed:
        contacts = [(parts[i].contact_with(parts[j]), i, j) for i in arms for j in placed]
        length, arm, neighbor = max(contacts)
        if not length:
            break
        bodies[arm] = bodies[neighbor]
        arms.remove(arm)
        placed.append(arm)


def _overlaps(
    parts: list[Part], bodies: NDArray[np.int64], fragments: NDArray[np.int32], ink: PageInk
) -> NDArray[np.float32]:
    tops, bottoms = find_profiles(parts, fragments)
    shares = [0.0]
    least = SPECK * ink.pen**2
    for i in range(1, len(parts)):
        if min(parts[i - 1].area, parts[i].area) < least:  # dirt is where it is
            shares.append(0.0)
            continue
        shared = min(bodies[i, 1], bodies[i - 1, 1]) - max(bodies[i, 0], bodies[i - 1, 0])
        share = max(float(shared), 0.0) / max(1.0, float(np.diff(bodies[i - 1 : i + 1], axis=1).min()))
        is_shared = (bottoms[i - 1] >= 0) & (bottoms[i] >= 0)
        if is_shared.any():
            gaps = np.maximum(tops[i] - bottoms[i - 1], tops[i - 1] - bottoms[i])[is_shared]
            share *= 1 - float(np.clip(np.median(gaps) / ink.letter, 0, 1))
        shares.append(share)
    return np.array(shares, np.float32)
