"""Removing specks: dust, grain and JPEG noise must not widen the ink box; the dot of an i, a comma, an anusvara must
stay.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .pen import pen_width

Gray = NDArray[np.uint8]
Cells = NDArray[np.float32]

_MAX_CELLS = 64  # along the longer side
_MIN_INK = 6.0  # mean ink of a cell, 0..255, above which it counts
_SQUARES = [round(value * value / 255) for value in range(256)]


@dataclass(frozen=True, slots=True)
class _Part:
    """Connected cells. area: px of full ink. strength: 0..1, how black the ink is where there is ink."""

    cells: tuple[NDArray[np.intp], NDArray[np.intp]]
    area: float
    strength: float


def remove_specks(ink: Gray) -> Gray:
    """(h, w) ink -> the same without parts that are too small for a touch of the pen, or both tiny and much fainter."""
    factor = max(1, -(-max(ink.shape) // _MAX_CELLS))
    image = Image.fromarray(ink)
    cells = np.asarray(image.reduce(factor), dtype=np.float32)
    squares = np.asarray(image.point(_SQUARES).reduce(factor), dtype=np.float32)
    parts = [_measure_part(part, cells, squares, factor) for part in _find_components(cells > _MIN_INK)]
    if not parts:
        return ink
    main = max(parts, key=lambda part: part.area * part.strength)
    touch = 0.3 * _measure_touch(ink, main, factor) ** 2
    return _keep_parts(ink, [part for part in parts if _is_drawn(part, main, touch)], cells.shape, factor)


def _is_drawn(part: _Part, main: _Part, touch: float) -> bool:
    """Return whether a part is more than dust: about as large as a touch of the pen, and not much fainter than the
    rest.
    """
    if part.area >= 0.05 * main.area:
        return part.strength >= 0.2 * main.strength
    return part.area >= touch and part.strength >= 0.45 * main.strength


def _measure_touch(ink: Gray, main: _Part, factor: int) -> float:
    """Return the diameter in px of the smallest dot that the pen of the main part draws."""
    rows, columns = main.cells
    top, left = int(rows.min()) * factor, int(columns.min()) * factor
    bottom, right = (int(rows.max()) + 1) * factor, (int(columns.max()) + 1) * factor
    return min(pen_width(ink[top:bottom, left:right]), 0.06 * max(bottom - top, right - left))


def _measure_part(part: list[tuple[int, int]], cells: Cells, squares: Cells, factor: int) -> _Part:
    rows, columns = np.array(part).T
    mass = float(cells[rows, columns].sum())
    return _Part((rows, columns), mass * factor * factor / 255, float(squares[rows, columns].sum()) / mass)


def _keep_parts(ink: Gray, parts: list[_Part], shape: tuple[int, ...], factor: int) -> Gray:
    """Keep only the ink in the cells of some parts and next to them."""
    mask = np.zeros(shape, dtype=np.uint8)
    for part in parts:
        mask[part.cells] = 255
    near = Image.fromarray(mask).filter(ImageFilter.MaxFilter(3))
    wide = np.asarray(near.resize((shape[1] * factor, shape[0] * factor), Image.Resampling.NEAREST))
    return np.asarray(np.minimum(ink, wide[: ink.shape[0], : ink.shape[1]]))


def _find_components(mask: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """Return the 8-connected groups of True cells of a small mask, as (row, column)."""
    open_cells = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    parts = []
    while open_cells:
        queue, part = deque([open_cells.pop()]), []
        while queue:
            y, x = queue.popleft()
            part.append((y, x))
            for near in [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]:
                if near in open_cells:
                    open_cells.remove(near)
                    queue.append(near)
        parts.append(part)
    return parts
