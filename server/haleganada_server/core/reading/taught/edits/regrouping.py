"""Changes of a lattice: further groups, and parts that are taken to pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.taught.directions import DOWNWARDS
from haleganada_server.core.reading.taught.lattice import GlyphLattice

Ints = NDArray[np.int32]
Span = tuple[int, int]
"""The first part of a group, and the one behind its last."""


class Piece(NamedTuple):
    """What stands in the place of a part, or of a part of it. origin: the number of that part. is_rest: whether another
    piece of it comes before this one. box: left, top, right, bottom in px.
    """

    origin: int
    is_rest: bool
    box: tuple[int, int, int, int]


def add_groups(lattice: GlyphLattice, spans: Iterable[Span], next_id: int) -> tuple[GlyphLattice, NDArray[np.intp]]:
    """Return a lattice with further groups, whose ids begin with next_id, and the old number of each group; those that
    are new have numbers from that of the old groups on, in the order of their ids. Spans that are groups are passed
    over.
    """
    new = sorted(set(spans) - set(map(tuple, lattice.groups.tolist())))
    added = np.array(new, np.int32).reshape(-1, 2)
    groups = np.concatenate([lattice.groups, added])
    order = np.argsort(groups[:, 0], kind="stable")
    ids = np.concatenate([lattice.group_ids, next_id + np.arange(len(new), dtype=np.int32)])
    made = replace(
        lattice,
        groups=groups[order],
        group_boxes=np.concatenate([lattice.group_boxes, measure_boxes(lattice.part_boxes, added)])[order],
        group_ids=ids[order].astype(np.int32),
        is_joined=np.concatenate([lattice.is_joined, np.zeros(len(new), np.bool_)])[order],
    )
    return made, order


def take_to_pieces(
    lattice: GlyphLattice, first: int, last: int, pieces: Sequence[Piece], wall: int
) -> tuple[GlyphLattice, NDArray[np.intp]]:
    """Return a lattice in which pieces stand for the parts of a group, and the old number of each group. Groups that
    have parts on both sides of other ones then are left out. first, last: the parts, the last one exclusive. wall: the
    number of the piece before which no glyph ends later.
    """
    origins = np.array([*range(first), *(one.origin for one in pieces), *range(last, len(lattice.part_boxes))])
    inner = slice(first, first + len(pieces))
    part_boxes, cuts, is_parted = (
        array[origins].copy() for array in (lattice.part_boxes, lattice.cuts, lattice.is_parted)
    )
    part_boxes[inner] = [one.box for one in pieces]
    is_rest = np.array([one.is_rest for one in pieces])
    cuts[inner][is_rest], is_parted[inner][is_rest] = 0, False
    is_parted[first + wall] = True
    groups, kept = _follow(lattice.groups, origins)
    is_downwards = lattice.find_directions(np.array([first], np.int32))[0] == DOWNWARDS
    sides = [1, 3] if is_downwards else [0, 2]
    changed = replace(
        lattice,
        line_starts=np.searchsorted(np.sort(origins), lattice.line_starts).astype(np.int32),
        part_boxes=part_boxes,
        cuts=cuts,
        overlaps=_measure_overlaps(lattice.overlaps[origins], part_boxes[:, sides], first, first + len(pieces)),
        groups=groups,
        group_boxes=measure_boxes(part_boxes, groups),
        group_ids=lattice.group_ids[kept],
        is_parted=is_parted,
        is_joined=lattice.is_joined[kept],
    )
    return changed, kept


def measure_boxes(part_boxes: Ints, groups: Ints) -> Ints:
    """Return the boxes around groups of parts, (groups, 4)."""
    boxes = [
        np.concatenate([part_boxes[first:last, :2].min(axis=0), part_boxes[first:last, 2:].max(axis=0)])
        for first, last in groups.tolist()
    ]
    return np.array(boxes, np.int32).reshape(-1, 4)


def _follow(groups: Ints, origins: NDArray[np.intp]) -> tuple[Ints, NDArray[np.intp]]:
    """Return where groups are when parts have new numbers, and which of them still are one beside the other."""
    spans, kept = [], []
    for number, (first, last) in enumerate(groups.tolist()):
        places = np.flatnonzero((origins >= first) & (origins < last))
        if places[-1] - places[0] == len(places) - 1:
            spans.append((int(places[0]), int(places[-1]) + 1))
            kept.append(number)
    return np.array(spans, np.int32), np.array(kept, np.intp)


def _measure_overlaps(overlaps: NDArray[np.float32], sides: Ints, first: int, last: int) -> NDArray[np.float32]:
    """Return them with those of some parts measured anew, see GlyphLattice.overlaps. sides: (parts, 2) where each
    begins and ends along its line, in px.
    """
    overlaps = overlaps.copy()
    for part in range(max(first, 1), min(last + 1, len(sides))):
        (begin, end), (begin_before, end_before) = sides[part], sides[part - 1]
        shared = min(end, end_before) - max(begin, begin_before)
        overlaps[part] = max(shared, 0) / max(1, min(end - begin, end_before - begin_before))
    return overlaps
