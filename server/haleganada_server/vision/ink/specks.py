"""Removing specks: dust, grain and JPEG noise must not widen the ink box; the dot of an i, a comma, an anusvara must
stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .components import label_components
from .pen import pen_width

Gray = NDArray[np.uint8]
Cells = NDArray[np.float32]

_MAX_CELLS = 64  # along the longer side
_MIN_INK = 6.0  # mean ink of a cell, 0..255, above which it counts
_SQUARES = np.array([round(value * value / 255) for value in range(256)], np.uint8)


@dataclass(frozen=True, slots=True)
class _Part:
    """Connected cells. number: in the labeled cells. area: px of full ink. strength: 0..1, how black the ink is where
    there is ink.
    """

    number: int
    area: float
    strength: float


def remove_specks(ink: Gray) -> Gray:
    """(h, w) ink -> the same without parts that are too small for a touch of the pen, or both tiny and much fainter."""
    factor = max(1, -(-max(ink.shape) // _MAX_CELLS))
    cells = _reduce(ink, factor)
    labels = label_components(cells > _MIN_INK)
    parts = _measure_parts(labels, cells, _reduce(_SQUARES[ink], factor), factor)
    if not parts:
        return ink
    main = max(parts, key=lambda part: part.area * part.strength)
    touch = 0.3 * _measure_touch(ink, labels == main.number, factor) ** 2
    is_kept = np.array([False, *(_is_drawn(part, main, touch) for part in parts)])
    return _keep_cells(ink, is_kept[labels], factor)


def _reduce(ink: Gray, factor: int) -> Cells:
    return np.asarray(Image.fromarray(ink).reduce(factor) if factor > 1 else ink, dtype=np.float32)


def _is_drawn(part: _Part, main: _Part, touch: float) -> bool:
    """Return whether a part is more than dust: about as large as a touch of the pen, and not much fainter than the
    rest.
    """
    if part.area >= 0.05 * main.area:
        return part.strength >= 0.2 * main.strength
    return part.area >= touch and part.strength >= 0.45 * main.strength


def _measure_touch(ink: Gray, main: NDArray[np.bool_], factor: int) -> float:
    """Return the diameter in px of the smallest dot that the pen of the main part draws. main: its cells."""
    rows, columns = np.flatnonzero(main.any(1)), np.flatnonzero(main.any(0))
    top, left = int(rows[0]) * factor, int(columns[0]) * factor
    bottom, right = (int(rows[-1]) + 1) * factor, (int(columns[-1]) + 1) * factor
    return min(pen_width(ink[top:bottom, left:right]), 0.06 * max(bottom - top, right - left))


def _measure_parts(labels: NDArray[np.intp], cells: Cells, squares: Cells, factor: int) -> list[_Part]:
    """Measure the groups of cells of the same number."""
    masses = np.bincount(labels.ravel(), cells.ravel())[1:].tolist()
    strengths = np.bincount(labels.ravel(), squares.ravel())[1:].tolist()
    return [
        _Part(number, mass * factor * factor / 255, strength / mass)
        for number, (mass, strength) in enumerate(zip(masses, strengths, strict=True), 1)
    ]


def _keep_cells(ink: Gray, kept: NDArray[np.bool_], factor: int) -> Gray:
    """Keep only the ink in some cells and next to them."""
    near = np.zeros((kept.shape[0] + 2, kept.shape[1] + 2), np.bool_)
    near[1:-1, 1:-1] = kept
    near = near[:-2] | near[1:-1] | near[2:]
    near = near[:, :-2] | near[:, 1:-1] | near[:, 2:]
    wide = near.repeat(factor, 0).repeat(factor, 1)[: ink.shape[0], : ink.shape[1]]
    return ink * wide
