"""Pen strokes -> the canonical raster, drawn straight at its size, with the same frame as a picture of them would
get.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.types import Ink, Stroke

from .frame import DOT_SIDE, INK_SIDE, RASTER_SIDE, THINNEST_PEN
from .limits import ImageLimits

THICKEST_PEN = 14.0  # px of the raster
_OVERSAMPLING = 2
_SHARP_TURN = 0.97  # cosine; below it a line's outer corner would gape
_DEFAULT_PEN = 1 / 24  # of the canvas' smaller side
_FARTHEST = 1e7  # canvas units

Points = NDArray[np.float64]


def render(ink: Ink, limits: ImageLimits) -> NDArray[np.uint8]:
    """Strokes -> (128, 128) uint8 raster, 255 = ink on 0. Raises InvalidInput, naming the stroke."""
    lines = _checked(ink, limits)
    pen = ink.pen_width or _DEFAULT_PEN * min(ink.width, ink.height)
    everything = np.concatenate(lines)
    low, high = everything.min(0), everything.max(0)
    scale, width = _scale(float((high - low).max()), pen)
    offset = RASTER_SIDE / 2 - (low + high) / 2 * scale
    image = Image.new("L", (RASTER_SIDE * _OVERSAMPLING,) * 2)
    draw = ImageDraw.Draw(image)
    for line in lines:
        _draw(draw, (line * scale + offset) * _OVERSAMPLING, width * _OVERSAMPLING)
    return np.asarray(image.reduce(_OVERSAMPLING))


def _scale(extent: float, pen: float) -> tuple[float, float]:
    """Raster px for one canvas unit, and the pen's thickness in px: together they make the ink box INK_SIDE long."""
    if extent <= 1.2 * pen:
        scale = DOT_SIDE / (extent + pen)
        return scale, pen * scale
    width = pen * INK_SIDE / (extent + pen)
    width = min(max(width, THINNEST_PEN), THICKEST_PEN)
    return (INK_SIDE - width) / extent, width


def _draw(draw: ImageDraw.ImageDraw, line: Points, width: float) -> None:
    """One line with round ends and joints."""
    line = line - 0.5  # Pillow draws at pixel centres
    draw.line(line.ravel().tolist(), 255, max(1, round(width)))
    radius = width / 2
    for x, y in line[_round_at(line)].tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)


def _round_at(line: Points) -> NDArray[np.bool_]:
    """(n,) True at the ends of a line and where it turns sharply."""
    steps = np.diff(line, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    along = (steps[1:] * steps[:-1]).sum(1)
    corners = np.ones(len(line), dtype=np.bool_)
    corners[1:-1] = along < _SHARP_TURN * lengths[1:] * lengths[:-1]
    return corners


def _checked(ink: Ink, limits: ImageLimits) -> list[Points]:
    """The strokes as (n, 2) arrays. Raises InvalidInput."""
    _require(bool(ink.strokes), "strokes", "is empty; draw something")
    for name, size in (("width", ink.width), ("height", ink.height)):
        _require(math.isfinite(size) and 0 < size < _FARTHEST, name, "must be above 0; send the size of the canvas")
    _require(math.isfinite(ink.pen_width) and 0 <= ink.pen_width < _FARTHEST, "pen_width", "must be 0 or more")
    _require(len(ink.strokes) <= limits.max_strokes, "strokes", f"has over {limits.max_strokes} strokes")
    points = sum(len(stroke.x) for stroke in ink.strokes)
    _require(points <= limits.max_points, "strokes", f"has over {limits.max_points} points")
    return [_points(stroke, f"strokes[{i}]") for i, stroke in enumerate(ink.strokes)]


def _points(stroke: Stroke, where: str) -> Points:
    count = len(stroke.x)
    _require(count > 0, f"{where}.x", "is empty; a stroke has at least one point")
    for name, values in (("y", stroke.y), ("t", stroke.t), ("pressure", stroke.pressure)):
        optional = name != "y" and not values
        _require(optional or len(values) == count, f"{where}.{name}", f"has {len(values)} values, but x has {count}")
    points = np.array([stroke.x, stroke.y], dtype=np.float64).T
    for axis, name in enumerate("xy"):
        fine = bool((np.abs(points[:, axis]) < _FARTHEST).all())  # false for NaN too
        _require(fine, f"{where}.{name}", "has a coordinate that is not finite or far off the canvas")
    return points


def _require(fine: bool, field: str, problem: str) -> None:
    if not fine:
        raise InvalidInput(f"glyph.ink.{field}", problem)
