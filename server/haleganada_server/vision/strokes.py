"""Pen strokes -> the canonical raster, drawn directly at its size and framed as a picture of them would be.

Pressure and time are checked and stored with the sample, but do not affect the raster: a letter must look the same from
a mouse and from a tablet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.types import Ink, Stroke

from .frame import DOT_ASPECT, DOT_SIDE, INK_SIDE, RASTER_SIDE
from .ink.pen import THINNEST_PEN
from .limits import ImageLimits

THICKEST_PEN = 12.0  # px of the raster
_OVERSAMPLING = 3
_STRAIGHT = 0.97  # cosine of a turn that needs no round joint
_DOT_EXTENT = 1.2  # pen widths; the pen may move this far in a tap
_DEFAULT_PEN = 1 / 24  # of the canvas's smaller side
_MAX_COORDINATE = 1e7  # canvas units
_MIN_SIZE = 1e-6  # canvas units
_SPACING = 2.5  # px of the raster between points; closer ones, rounded to whole pixels, would make the line ragged

Points = NDArray[np.float64]


def render(ink: Ink, limits: ImageLimits) -> NDArray[np.uint8]:
    """Strokes -> (128, 128) uint8 raster, 255 = ink on 0. Raises InvalidInput, naming the stroke."""
    points = _validate(ink, limits)
    pen = ink.pen_width or _DEFAULT_PEN * min(ink.width, ink.height)
    low, high = points.min(0), points.max(0)
    scale, width = _scale((high - low).tolist(), pen)
    centered = (points - (low + high) / 2) * (scale * _OVERSAMPLING) + RASTER_SIDE * _OVERSAMPLING / 2
    image = Image.new("L", (RASTER_SIDE * _OVERSAMPLING,) * 2)
    _draw(ImageDraw.Draw(image), centered, [len(stroke.x) for stroke in ink.strokes], width * _OVERSAMPLING)
    return np.asarray(image.reduce(_OVERSAMPLING))


def _scale(extents: list[float], pen: float) -> tuple[float, float]:
    """Return raster px per canvas unit and the pen's thickness in px, so that the ink box is INK_SIDE long."""
    short, extent = sorted(extents)
    if extent <= _DOT_EXTENT * pen and short + pen >= DOT_ASPECT * (extent + pen):
        scale = DOT_SIDE / (extent + pen)
        return scale, pen * scale
    width = min(max(pen * INK_SIDE / (extent + pen), THINNEST_PEN), THICKEST_PEN)
    return (INK_SIDE - width) / extent, width


def _draw(draw: ImageDraw.ImageDraw, points: Points, counts: list[int], width: float) -> None:
    """Draw lines with round ends and joints. counts: number of points of each line."""
    first = np.zeros(len(points), dtype=np.bool_)
    first[np.cumsum([0, *counts[:-1]])] = True
    keep = first | np.roll(first, -1) | _find_spaced_points(points)
    points, first = (points[keep] - 0.5).round(), first[keep]  # Pillow draws at whole pixel centers
    bounds = [*np.flatnonzero(first).tolist(), len(points)]
    flat = points.ravel().tolist()
    for start, end in pairwise(bounds):
        if end - start > 1:
            draw.line(flat[2 * start : 2 * end], 255, max(1, round(width)))
    radius = (round(width) - 1) / 2
    for x, y in points[_find_round_joints(points, first)].tolist():
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)


def _find_spaced_points(points: Points) -> NDArray[np.bool_]:
    """Return a mask (n,) of points that are at least _SPACING apart along the line."""
    steps = np.diff(points, axis=0)
    along = np.hypot(steps[:, 0], steps[:, 1]).cumsum() // (_SPACING * _OVERSAMPLING)
    return np.diff(along, prepend=-1.0, append=np.inf)[: len(points)] > 0


def _find_round_joints(points: Points, first: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask (n,) of the ends of the lines, and of turns so sharp that a gap would show on the outer side."""
    is_round = np.ones(len(points), dtype=np.bool_)
    steps = np.diff(points, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    straight = (steps[1:] * steps[:-1]).sum(1) >= _STRAIGHT * lengths[1:] * lengths[:-1]
    is_round[1:-1] = first[1:-1] | first[2:] | ~straight
    return is_round


def _validate(ink: Ink, limits: ImageLimits) -> Points:
    """Return the points of all strokes, (n, 2). Raises InvalidInput."""
    _require(bool(ink.strokes), "strokes", "is empty; draw something")
    for name, size in (("width", ink.width), ("height", ink.height)):
        _require(_MIN_SIZE <= size <= _MAX_COORDINATE, name, "must be above 0; send the size of the canvas")
    valid = ink.pen_width == 0 or _MIN_SIZE <= ink.pen_width <= _MAX_COORDINATE
    _require(valid, "pen_width", "must be 0 (the default) or the pen's thickness in canvas units")
    _require(len(ink.strokes) <= limits.max_strokes, "strokes", f"has over {limits.max_strokes} strokes")
    count = sum(len(stroke.x) for stroke in ink.strokes)
    _require(count <= limits.max_points, "strokes", f"has over {limits.max_points} points; send fewer of them")
    for i, stroke in enumerate(ink.strokes):
        _check_lengths(stroke, f"strokes[{i}]")
    axes = [np.array(list(chain.from_iterable(getattr(s, axis) for s in ink.strokes))) for axis in "xy"]
    points_xy = np.stack(axes, 1).astype(np.float64)
    if not (np.abs(points_xy) <= _MAX_COORDINATE).all():  # false for NaN too
        _raise_far_off(ink.strokes)
    return points_xy


def _check_lengths(stroke: Stroke, where: str) -> None:
    count = len(stroke.x)
    _require(count > 0, f"{where}.x", "is empty; a stroke has at least one point")
    for name, values in (("y", stroke.y), ("time_ms", stroke.t), ("pressure", stroke.pressure)):
        optional = name != "y" and not values
        _require(optional or len(values) == count, f"{where}.{name}", f"has {len(values)} values, but x has {count}")
        if name != "y":
            _require(math.isfinite(sum(values)), f"{where}.{name}", "has a value that is not finite")


def _raise_far_off(strokes: Sequence[Stroke]) -> None:
    for i, stroke in enumerate(strokes):
        for name, values in (("x", stroke.x), ("y", stroke.y)):
            valid = all(abs(value) <= _MAX_COORDINATE for value in values)
            _require(valid, f"strokes[{i}].{name}", "has a coordinate that is not finite or far off the canvas")


def _require(valid: bool, field: str, problem: str) -> None:
    if not valid:
        raise InvalidInput(f"glyph.ink.{field}", problem)
