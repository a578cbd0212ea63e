"""A page as a lattice: its parts in order, and all groups of neighboring parts that may be one glyph, with their
rasters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.core.limits import MAX_TAUGHT_GROUPS
from haleganada_server.core.reading.taught.ink import LineInk, PageInkMap
from haleganada_server.core.reading.taught.lattice import MOST_PARTS, GlyphLattice
from haleganada_server.vision.frame import frame

from .lines import Course, assign_pieces, find_courses, part_lines
from .page_ink import PageInk, find_page_ink
from .parts import LineParts, find_parts_of_line, usual_width

_MOST_WIDTH = 2.4  # usual widths of a group
_LEAST_WIDTH = 1.8  # letter heights that any group may have
_MOST_GAP = 0.9  # letter heights within a group
_CANVAS = 1.6  # letter heights: what a group is drawn on, at least, so that dots stay dots

Raster = NDArray[np.uint8]


def build_lattice(picture: NDArray[np.uint8]) -> tuple[GlyphLattice, list[Raster], PageInkMap]:
    """(height, width, 3) RGB, dark on light -> the lattice of one block, in px of the picture, the ink raster,
    (128, 128), of each group, and the ink. Raises Exhausted if there is too much for a page of text.
    """
    ink = find_page_ink(picture)
    courses = find_courses(ink) if ink else []
    if ink is None or not courses:
        return GlyphLattice.join([]), [], PageInkMap.pack([])
    ink = part_lines(ink, courses)
    lines = list(_find_lines(ink, courses))
    most = max(_MOST_WIDTH * usual_width(ink), _LEAST_WIDTH * ink.letter)
    found = [list(_find_groups(line, most, _MOST_GAP * ink.letter)) for line in lines]
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
    inks = [_take_ink(ink, line) for line in lines]
    rasters = [
        frame(line.draw(one.first, one.last, one.box)) for line, some in zip(inks, found, strict=True) for one in some
    ]
    return lattice, rasters, PageInkMap.pack(inks)


def _find_lines(ink: PageInk, courses: list[Course]) -> Iterator[LineParts]:
    _require_few(ink.count)
    lines, width = assign_pieces(ink, courses), usual_width(ink)
    for line in range(len(courses)):
        pieces = np.flatnonzero(lines[1:] == line) + 1
        if len(pieces):
            yield find_parts_of_line(ink, pieces, width)


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


def _find_groups(line: LineParts, most_width: float, most_gap: float) -> Iterator[_Group]:
    """Yield the groups of a line. Ink that is connected is one of them, however wide it is and into how many parts it
    was cut.
    """
    boxes, is_cut = line.boxes.tolist(), [*(line.cuts > 0).tolist(), False]
    for first, box in enumerate(boxes):
        yield _Group(first, first + 1, box)
        whole = first + 1
        while is_cut[whole]:
            whole += 1
        right = box[2]
        for last in range(first + 2, len(boxes) + 1):
            part = boxes[last - 1]
            box = [*map(min, box[:2], part[:2]), *map(max, box[2:], part[2:])]
            is_whole = last == whole and not is_cut[first]
            is_near = box[2] - box[0] <= most_width and part[0] - right <= most_gap
            if is_whole or (is_near and last - first <= MOST_PARTS):
                yield _Group(first, last, box)
            elif last > whole:
                break
            right = box[2]


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
