"""The ink of a page by its parts, compressed: what is needed to draw a group that nobody thought of before."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.uint8]
"""(height, width), 255 = full ink on 0, soft at the edges."""

Owners = NDArray[np.uint16]
"""(height, width), the number of each px's part in its line, from 1; 0 = ground."""

_HEADER = 5  # left, top, height, width, canvas


@dataclass(frozen=True, slots=True, eq=False)
class LineInk:
    """left, top: where it lies, in px of the lattice. levels, owners: of the ink of its parts alone. canvas: the least
    side, in px, of what a group is drawn on, so that dots stay dots.
    """

    left: int
    top: int
    levels: Levels
    owners: Owners
    canvas: int

    def draw(self, first: int, last: int, box: Sequence[int]) -> Levels:
        """Return the ink of some parts on a canvas of its own. first, last: their numbers in the line from 0, the last
        one exclusive. box: around them, in px of the lattice: left, top, right, bottom.
        """
        left, top, right, bottom = box
        area = slice(top - self.top, bottom - self.top), slice(left - self.left, right - self.left)
        owners = self.owners[area]
        drawn = np.where((owners > first) & (owners <= last), self.levels[area], 0).astype(np.uint8)
        tall, wide = (max(0, self.canvas - side) for side in drawn.shape)
        return np.pad(drawn, ((tall // 2, tall - tall // 2), (wide // 2, wide - wide // 2)))


@dataclass(frozen=True, slots=True, eq=False)
class PageInkMap:
    """headers: (lines, 5) left, top, height, width and canvas of each line of a lattice, see LineInk. packed: the
    levels and owners of each.
    """

    headers: NDArray[np.int32]
    packed: tuple[bytes, ...]

    @classmethod
    def pack(cls, lines: Sequence[LineInk]) -> PageInkMap:
        headers = [(line.left, line.top, *line.levels.shape, line.canvas) for line in lines]
        return cls(np.array(headers, np.int32).reshape(-1, _HEADER), tuple(_pack(line) for line in lines))

    def unpack(self, line: int) -> LineInk:
        """Return the ink of a line. Raises ValueError or zlib.error if it is damaged."""
        left, top, height, width, canvas = self.headers[line].tolist()
        size = height * width
        data = zlib.decompressobj().decompress(self.packed[line], 3 * size + 1)
        if len(data) != 3 * size:
            raise ValueError("the ink of a page is damaged")
        levels = np.frombuffer(data, np.uint8, size).reshape(height, width)
        owners = np.frombuffer(data, "<u2", size, offset=size).reshape(height, width)
        return LineInk(left, top, levels, owners.astype(np.uint16), canvas)

    def replace_line(self, number: int, line: LineInk) -> PageInkMap:
        """Return it with other parts in the area of a line."""
        return replace(self, packed=(*self.packed[:number], _pack(line), *self.packed[number + 1 :]))


def _pack(line: LineInk) -> bytes:
    return zlib.compress(line.levels.tobytes() + line.owners.astype("<u2").tobytes(), 1)
