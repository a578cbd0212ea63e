"""The lattice of a page: parts of ink in reading order, and the groups of neighboring parts that may be one glyph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import NotFound

MOST_PARTS = 6
"""Of a group."""

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GlyphLattice:
    """letter: the usual height of letters in px, 0 without ink. line_starts: (lines + 1,) the first part of each line,
    and the number of parts. line_blocks: (lines,) the number of the block that each line is in, not decreasing.
    part_boxes: (parts, 4) left, top, right, bottom in px, the last two exclusive. cuts, overlaps: (parts,) where a
    glyph ends before a part: the ink that is cut there, in pen widths, 0 = none; and by how much of the narrower one
    that part and the one before it stand above each other, 0 to 1. groups: (groups, 2) the first part of each and the
    one behind its last, in the order of the first; every part is a group, too. group_boxes: (groups, 4). group_ids:
    (groups,) unique, and the same when groups are added. is_parted: (parts,) whether a person has said that no glyph
    has both a part and the one before it. is_joined: (groups,) whether a person has said that it is one glyph; no two
    of these overlap.
    line_directions: (lines,) see directions.py; empty if all are read from left to right.
    """

    letter: float
    line_starts: Ints
    line_blocks: Ints
    part_boxes: Ints
    cuts: NDArray[np.float32]
    overlaps: NDArray[np.float32]
    groups: Ints
    group_boxes: Ints
    group_ids: Ints
    is_parted: NDArray[np.bool_]
    is_joined: NDArray[np.bool_]
    line_directions: Ints = field(default_factory=lambda: np.zeros(0, np.int32))

    def find_group(self, group_id: int) -> int:
        """Return the number of a group by its id. Raises NotFound."""
        found = np.flatnonzero(self.group_ids == group_id)
        if not len(found):
            raise NotFound("glyph", str(group_id), "get the page again, which may have changed")
        return int(found[0])

    def find_overlaps(self, group: int) -> NDArray[np.bool_]:
        """Return which groups share a part with one, (groups,); that one itself is among them."""
        first, last = self.groups[group]
        return np.asarray((self.groups[:, 0] < last) & (self.groups[:, 1] > first))

    @property
    def next_id(self) -> int:
        """An id that no group has, nor had."""
        return int(self.group_ids.max(initial=-1)) + 1

    def find_line(self, part: int) -> int:
        """Return the number of the line that a part is in."""
        return int(np.searchsorted(self.line_starts, part, side="right")) - 1

    def find_directions(self, parts: Ints) -> Ints:
        """Return in which direction each of some parts is read, see directions.py."""
        if not len(self.line_directions):
            return np.zeros(len(parts), np.int32)
        return self.line_directions[np.searchsorted(self.line_starts, parts, side="right") - 1]

    def move(self, x: int, y: int) -> GlyphLattice:
        """Return it moved by so many px to the right and down."""
        by = np.array([x, y, x, y], np.int32)
        return replace(self, part_boxes=self.part_boxes + by, group_boxes=self.group_boxes + by)

    @classmethod
    def join(cls, lattices: Sequence[GlyphLattice]) -> GlyphLattice:
        """Return one lattice of several, each of which becomes a block; those of no lines are left out."""
        found = [lattice for lattice in lattices if len(lattice.line_blocks)]
        parts = np.cumsum([0, *(len(one.part_boxes) for one in found)])
        ids = np.cumsum([0, *(one.next_id for one in found)])
        sizes = [len(one.part_boxes) for one in found]
        flags = np.zeros(0, np.bool_)
        none, corners = np.zeros(0, np.int32), np.zeros((0, 4), np.int32)
        return cls(
            letter=float(np.average([one.letter for one in found], weights=sizes)) if found else 0.0,
            line_starts=_concatenate(none, [one.line_starts[:-1] + at for one, at in _pairs(found, parts)], parts[-1:]),
            line_blocks=_concatenate(none, [np.full(len(one.line_blocks), i) for i, one in enumerate(found)]),
            part_boxes=_concatenate(corners, [one.part_boxes for one in found]),
            cuts=np.concatenate([np.zeros(0, np.float32), *(one.cuts for one in found)]),
            overlaps=np.concatenate([np.zeros(0, np.float32), *(one.overlaps for one in found)]),
            groups=_concatenate(np.zeros((0, 2), np.int32), [one.groups + at for one, at in _pairs(found, parts)]),
            group_boxes=_concatenate(corners, [one.group_boxes for one in found]),
            group_ids=_concatenate(none, [one.group_ids + at for one, at in _pairs(found, ids)]),
            is_parted=np.concatenate([flags, *(one.is_parted for one in found)]),
            is_joined=np.concatenate([flags, *(one.is_joined for one in found)]),
            line_directions=_concatenate(none, [one.find_directions(one.line_starts[:-1]) for one in found]),
        )


def _pairs(lattices: Sequence[GlyphLattice], starts: NDArray[np.intp]) -> list[tuple[GlyphLattice, int]]:
    return list(zip(lattices, starts[:-1].tolist(), strict=True))


def _concatenate(empty: Ints, arrays: Sequence[NDArray[np.integer]], *more: NDArray[np.integer]) -> Ints:
    return np.concatenate([empty, *arrays, *more]).astype(np.int32)
