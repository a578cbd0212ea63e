"""Ink of any size -> the canonical raster: a square of 128 px in which the ink box is centered and its longest side
takes 80 %.

A dot stays a dot: what is compact, filled and small on its canvas takes a fifth of the square, so that "." and "o"
differ. Framing a raster again does not change it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.errors import InvalidInput

from .images.header import FIELD
from .ink.pen import THINNEST_PEN, pen_width, thicken
from .ink.photo import BLANK

RASTER_SIDE = 128
INK_SIDE = 0.8 * RASTER_SIDE
DOT_SIDE = 0.2 * RASTER_SIDE
DOT_ASPECT = 0.65  # shorter over longer side of the box, at least
_DOT_LENGTH = 2.4  # in pen widths; a disc has 2, a small ring or a short dash 3
_DOT_CANVAS_SHARE = 0.22  # of the canvas's shorter side; larger filled shapes are drawings of discs

_INK = 64  # the least level that counts for the ink box
_MARGIN = 2  # px of the raster around the ink box, for its soft edges
_SIZE_TOLERANCE = 0.8  # px by which a box may differ from its size and still not be scaled

Gray = NDArray[np.uint8]
Box = tuple[int, int, int, int]


def frame(ink: Gray) -> Gray:
    """(h, w) ink -> (128, 128) raster. Raises InvalidInput if there is no ink."""
    box = _find_ink_box(ink)
    if box is None:
        raise InvalidInput(FIELD, BLANK)
    left, top, right, bottom = box
    longest = max(right - left, bottom - top)
    is_dot = _is_dot(ink[top:bottom, left:right], _DOT_CANVAS_SHARE * min(ink.shape))
    side = DOT_SIDE if is_dot else INK_SIDE
    if _is_raster(ink, box, side):
        return ink
    if is_dot:
        return _place(ink, box, side)
    if longest > 2.5 * side:
        ink = _shrink(ink[top:bottom, left:right])
        box = _find_ink_box(ink) or box
    raster = _place(ink, box, side)
    missing = THINNEST_PEN - pen_width(raster)
    return raster if missing <= 0 else thicken(_place(ink, box, side - missing, 2), missing)


def _is_raster(ink: Gray, box: Box, side: float) -> bool:
    """Return whether the ink is framed already, as in an export that is imported again."""
    left, top, right, bottom = box
    centered = max(abs(left + right - RASTER_SIDE), abs(top + bottom - RASTER_SIDE)) <= 2
    return centered and ink.shape == (RASTER_SIDE,) * 2 and abs(max(right - left, bottom - top) - side) <= 2


def _find_ink_box(ink: Gray) -> Box | None:
    """Return (left, top, right, bottom) in px, the last two exclusive; None without ink."""
    columns, rows = np.flatnonzero(ink.max(0) >= _INK), np.flatnonzero(ink.max(1) >= _INK)
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else None


def _is_dot(part: Gray, max_side: float) -> bool:
    longest = max(part.shape)
    if longest > max_side or min(part.shape) < DOT_ASPECT * longest:
        return False
    return bool(longest <= 3 or longest < _DOT_LENGTH * pen_width(part))


def _shrink(ink: Gray) -> Gray:
    """Halve a large drawing until it is near the raster's size; hair-thin lines by the maximum, to keep them black."""
    while max(ink.shape) > 2.5 * INK_SIDE:
        if pen_width(ink) * INK_SIDE / max(ink.shape) < THINNEST_PEN:
            even = np.pad(ink, ((0, ink.shape[0] % 2), (0, ink.shape[1] % 2)))
            rows = np.maximum(even[::2], even[1::2])
            ink = np.maximum(rows[:, ::2], rows[:, 1::2])
        else:
            ink = np.asarray(Image.fromarray(ink).reduce(2))
    return ink


def _place(ink: Gray, box: Box, side: float, oversampling: int = 1) -> Gray:
    """Scale the ink box so that its longest side is `side`, and put its center into the center of the square;
    everything `oversampling` times as large.
    """
    square, side = RASTER_SIDE * oversampling, side * oversampling
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    scale = max(width, height) / side
    if abs(max(width, height) - side) <= _SIZE_TOLERANCE:
        scale = 1.0
    # An even number of raster px on both axes keeps the center of the box in the center of the square.
    columns = 2 * (math.ceil(width / scale / 2) + _MARGIN)
    rows = 2 * (math.ceil(height / scale / 2) + _MARGIN)
    center_x, center_y = (left + right) / 2, (top + bottom) / 2
    source = (
        center_x - columns / 2 * scale,
        center_y - rows / 2 * scale,
        center_x + columns / 2 * scale,
        center_y + rows / 2 * scale,
    )
    part = _resample_box(ink, source, (columns, rows), scale)
    raster = np.zeros((square, square), dtype=np.uint8)
    y, x = (square - rows) // 2, (square - columns) // 2
    raster[y : y + rows, x : x + columns] = part
    return raster


def _resample_box(ink: Gray, source: tuple[float, float, float, float], size: tuple[int, int], scale: float) -> Gray:
    """Return the ink in the box `source`, which may reach beyond the picture, at the given size."""
    left, top = math.floor(source[0]) - 1, math.floor(source[1]) - 1
    right, bottom = math.ceil(source[2]) + 1, math.ceil(source[3]) + 1
    part = Image.fromarray(ink).crop((left, top, right, bottom))  # 0 beyond the edge
    inner = (source[0] - left, source[1] - top, source[2] - left, source[3] - top)
    if scale >= 1:
        method = Image.Resampling.BOX if scale > 3 else Image.Resampling.BILINEAR
        return np.asarray(part.resize(size, method, box=inner))
    return _sharpen(np.asarray(part.resize(size, Image.Resampling.BICUBIC, box=inner)), scale)


def _sharpen(ink: Gray, scale: float) -> Gray:
    """Make edges that enlarging blurred about two px wide again."""
    gain = min(0.5 / scale, 3.0)
    return ink if gain <= 1 else _SHARPENING[round(gain * 4)][ink]


def _make_sharpening_table(gain: float) -> Gray:
    levels = np.arange(256, dtype=np.float32)
    return np.asarray(np.clip((levels - 127.5) * gain + 127.5, 0, 255).round().astype(np.uint8))


_SHARPENING = {quarters: _make_sharpening_table(quarters / 4) for quarters in range(4, 13)}
