"""A page as a lattice: its parts in order, and all groups of neighboring parts that may be one glyph, with their
rasters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.core.limits import MAX_TAUGHT_GROUPS
from haleganada_server.core.reading.taught.ink import LineInk
from haleganada_server.core.reading.taught.lattice import MOST_PARTS, GlyphLattice
from haleganada_server.vision.frame import frame

from .edges import find_lines_within
from .lines import Course, assign_pieces, part_lines
from .page_ink import PageInk, find_page_ink
from .parts import LineParts, find_parts_of_line, usual_width

_MOST_WIDTH = 2.05  # usual widths of a group
_LEAST_WIDTH = 2.05  # letter heights that any group may have
_MOST_GAP = 0.9  # letter heights within a group
_BROKEN = 1.2  # pen widths between the ends of a broken stroke
_CANVAS = 1.6  # letter heights: what a group is drawn on, at least, so that dots stay dots

Raster = NDArray[np.uint8]


def build_lattice(
    picture: NDArray[np.uint8], beyond: NDArray[np.bool_] | None = None
) -> tuple[GlyphLattice, list[LineInk]]:
    """(height, width, 3) RGB, dark on light -> the lattice of one block, in px of the picture, and the ink of its
    lines. beyond: see find_lines_within. Raises Exhausted if there is too much for a page of text.
    """
    ink = find_page_ink(picture)
    if ink is None:
        return GlyphLattice.join([]), []
    ink, courses = find_lines_within(ink, beyond)
    if not courses:
        return GlyphLattice.join([]), []
    ink = part_lines(ink, courses)
    lines = list(_find_lines(ink, courses))
    most = max(_MOST_WIDTH * usual_width(ink), _LEAST_WIDTH * ink.letter)
    found = [list(_find_groups(line, most, _MOST_GAP * ink.letter, round(_BROKEN * ink.pen))) for line in lines]
    _require_few(sum(map(len, found)))
    starts = np.cumsum([0, *(len(line.boxes) for line in lines)])
    groups = [(start + one.first, start + one.last) for start, some in zip(starts, found, strict=False) for one in some]
    lattice = GlyphLattice(
        letter=ink.letter,
        line_starts=starts.astype(np.int32),
        line_blocks=np.zeros(len(lines), np.int32),
        part_boxes=np.concatenate([line.boxes for line in lines]),
        cuts=np.concatenate([line.cuts for line in lines]),
        overlaps=np.concatenate([line.overlaps for line in lines]),
        groups=np.array(groups, np.int32),
        group_boxes=np.array([one.box for some in found for one in some], np.int32),
        group_ids=np.arange(len(groups), dtype=np.int32),
        is_parted=np.zeros(int(starts[-1]), np.bool_),
        is_joined=np.zeros(len(groups), np.bool_),
    )
    return lattice, [_take_ink(ink, line) for line in lines]


def draw_groups(lattice: GlyphLattice, inks: Sequence[LineInk]) -> Iterator[Raster]:
    """Yield the ink raster, (128, 128), of each group. inks: of all lines."""
    lines = np.searchsorted(lattice.line_starts, lattice.groups[:, 0], side="right") - 1
    groups = lattice.groups - lattice.line_starts[lines][:, None]
    for line, (first, last), box in zip(lines.tolist(), groups.tolist(), lattice.group_boxes.tolist(), strict=True):
        yield frame(inks[line].draw(first, last, box))


def _find_lines(ink: PageInk, courses: list[Course]) -> Iterator[LineParts]:
    _require_few(ink.count)
    lines, width = assign_pieces(ink, courses), usual_width(ink)
    for line, course in enumerate(courses):
        pieces = np.flatnonzero(lines[1:] == line) + 1
        if len(pieces):
            yield find_parts_of_line(ink, pieces, width, course)


def _require_few(groups: int) -> None:
    if groups > MAX_TAUGHT_GROUPS:
        raise Exhausted(
            f"this page has {groups:,} pieces of ink that may be glyphs, and at most {MAX_TAUGHT_GROUPS:,} can be read "
            "at once; send a part of the page, or a cleaner picture",
            Reason.DOCUMENT_TOO_LARGE,
        )


class _Group(NamedTuple):
    """first, last: its parts in the line, the last one exclusive. box: left, top, right, bottom."""

    first: int
    last: int
    box: list[int]


def _find_groups(line: LineParts, most_width: float, most_gap: float, near: int) -> Iterator[_Group]:
    """Yield the groups of a line. Ink that is connected is one of them, however wide it is and into how many parts it
    was cut; so are two such pieces that nearly touch, because strokes may be broken.
    """
    boxes, wholes = line.boxes.tolist(), _find_wholes(line, near)
    for first, box in enumerate(boxes):
        yield _Group(first, first + 1, box)
        right = box[2]
        most = max(wholes.get(first, ()), default=0)
        is_near = True
        for last in range(first + 2, len(boxes) + 1):
            part = boxes[last - 1]
            box = [*map(min, box[:2], part[:2]), *map(max, box[2:], part[2:])]
            is_near &= part[0] - right <= most_gap
            is_small = box[2] - box[0] <= most_width and last - first <= MOST_PARTS
            if (is_near and is_small) or last in wholes.get(first, ()):
                yield _Group(first, last, box)
            elif last > most:
                break
            right = max(right, box[2])


def _find_wholes(line: LineParts, near: int) -> dict[int, list[int]]:
    """Return where pieces that were cut begin, and behind which parts they end, they and the next one, if its ink is
    nearer than so many px.
    """
    runs = np.flatnonzero(np.diff(line.pieces, prepend=-1, append=-1))
    wholes = {first: [last] for first, last in pairwise(runs.tolist()) if last > first + 1}
    for first, middle, last in zip(runs.tolist(), runs[1:].tolist(), runs[2:].tolist(), strict=False):
        if (first in wholes or middle in wholes) and _is_broken(line, first, middle, last, near):
            wholes.setdefault(first, []).append(last)
    return wholes


def _is_broken(line: LineParts, first: int, middle: int, last: int, near: int) -> bool:
    """Return whether the ink of parts first to middle is near that of parts middle to last."""
    left = max(0, int(line.boxes[middle:last, 0].min()) - line.left - near)
    right = int(line.boxes[first:middle, 2].max()) - line.left + near
    owners = line.owners[:, left : max(left, right)]
    before = ((owners > first) & (owners <= middle)).astype(np.uint8)
    grown = cv2.dilate(before, np.ones((2 * near + 1,) * 2, np.uint8)) if before.size else before
    return bool(((grown > 0) & (owners > middle) & (owners <= last)).any())


def _take_ink(ink: PageInk, line: LineParts) -> LineInk:
    height, width = line.owners.shape
    levels = ink.levels[line.top : line.top + height, line.left : line.left + width]
    return LineInk(
        left=line.left,
        top=line.top,
        levels=np.where(line.owners > 0, levels, 0).astype(np.uint8),
        owners=line.owners.astype(np.uint16),
        canvas=round(_CANVAS * ink.letter),
    )
