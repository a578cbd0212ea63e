"""Turns pages so that their text runs from left to right and their lines follow each other from top to bottom, and what
was found on them back again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.options import ReadingOrder
from haleganada_server.core.reading.taught.directions import DOWNWARDS, LEFTWARDS, RIGHTWARDS
from haleganada_server.core.reading.taught.ink import LineInk
from haleganada_server.core.reading.taught.lattice import GlyphLattice

Ints = NDArray[np.int32]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Orientation:
    """is_mirrored: left and right are exchanged. is_swapped: then, lines and columns of pixels are."""

    is_mirrored: bool
    is_swapped: bool

    @classmethod
    def of(cls, order: ReadingOrder) -> Orientation:
        return cls(
            order in (ReadingOrder.RIGHT_TO_LEFT, ReadingOrder.COLUMNS_FROM_RIGHT),
            order in (ReadingOrder.COLUMNS_FROM_LEFT, ReadingOrder.COLUMNS_FROM_RIGHT),
        )

    def turn(self, picture: Picture) -> Picture:
        """(height, width, ...) of a page -> of the turned page."""
        picture = picture[:, ::-1] if self.is_mirrored else picture
        return np.ascontiguousarray(np.swapaxes(picture, 0, 1) if self.is_swapped else picture)

    def turn_lattice_back(self, lattice: GlyphLattice, width: int) -> GlyphLattice:
        """width: in px, of what was turned."""
        direction = DOWNWARDS if self.is_swapped else LEFTWARDS if self.is_mirrored else RIGHTWARDS
        return replace(
            lattice,
            part_boxes=self._turn_boxes_back(lattice.part_boxes, width),
            group_boxes=self._turn_boxes_back(lattice.group_boxes, width),
            line_directions=np.full(len(lattice.line_blocks), direction, np.int32),
        )

    def _turn_boxes_back(self, boxes: Ints, width: int) -> Ints:
        boxes = boxes[:, [1, 0, 3, 2]] if self.is_swapped else boxes
        if self.is_mirrored:
            boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)
        return boxes

    def turn_ink_back(self, line: LineInk, width: int) -> LineInk:
        """width: in px, of what was turned."""
        left, top, levels, owners = line.left, line.top, line.levels, line.owners
        if self.is_swapped:
            left, top, levels, owners = top, left, levels.T, owners.T
        if self.is_mirrored:
            left, levels, owners = width - left - levels.shape[1], levels[:, ::-1], owners[:, ::-1]
        return replace(line, left=left, top=top, levels=levels, owners=owners)

    def turn_map_back(self, to_page: NDArray[np.float64], width: int, page_width: int) -> NDArray[np.float64]:
        """(2, 3), of px of a turned picture to px of the turned page -> the same of the picture and the page. width: of
        the picture, page_width: of the page, both as they are.
        """
        whole = np.vstack([to_page, (0, 0, 1)])
        return np.asarray((np.linalg.inv(self._matrix(page_width)) @ whole @ self._matrix(width))[:2])

    def _matrix(self, width: float) -> NDArray[np.float64]:
        """Return the map, (3, 3), of px as they are to px of what is turned."""
        mirror = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]]) if self.is_mirrored else np.eye(3)
        swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]) if self.is_swapped else np.eye(3)
        return np.asarray(swap @ mirror, np.float64)

    def turn_skew_back(self, degrees: float | None) -> float | None:
        """A picture that is mirrored slopes to the other side, one that is mirrored twice does not."""
        return -degrees if degrees and self.is_mirrored != self.is_swapped else degrees


def reverse_every_other_line(lattice: GlyphLattice, inks: Sequence[LineInk]) -> tuple[GlyphLattice, list[LineInk]]:
    """Return a lattice in which the second line of each block is read from right to left, the fourth, and so on."""
    inks, directions = list(inks), lattice.line_directions.copy()
    order = np.arange(len(lattice.part_boxes))
    groups = lattice.groups.copy()
    cuts, overlaps = lattice.cuts.copy(), lattice.overlaps.copy()
    in_block = np.arange(len(lattice.line_blocks)) - np.searchsorted(lattice.line_blocks, lattice.line_blocks)
    for line in np.flatnonzero(in_block % 2 == 1).tolist():
        first, last = lattice.line_starts[line : line + 2].tolist()
        order[first:last] = order[first:last][::-1]
        for between in (cuts, overlaps):
            between[first + 1 : last] = between[first + 1 : last][::-1]
        is_here = (groups[:, 0] >= first) & (groups[:, 0] < last)
        groups[is_here] = first + last - groups[is_here][:, ::-1]
        owners = inks[line].owners
        inks[line] = replace(inks[line], owners=np.where(owners > 0, last - first + 1 - owners, 0).astype(np.uint16))
        directions[line] = LEFTWARDS
    by_first = np.lexsort((groups[:, 1], groups[:, 0]))
    reversed_lattice = replace(
        lattice,
        line_directions=directions,
        part_boxes=lattice.part_boxes[order],
        cuts=cuts,
        overlaps=overlaps,
        groups=groups[by_first],
        group_boxes=lattice.group_boxes[by_first],
    )
    return reversed_lattice, inks
