"""Pen strokes -> the canonical raster, drawn directly at its size and framed as a picture of them would be.

Pressure and time are checked and stored with the sample, but do not affect the raster: a letter must look the same from
a mouse and from a tablet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NoReturn

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
_MARGIN = 2  # px of the raster around the ink, for what is drawn at whole pixels
_SPACING = 2.5  # px of the raster between points; closer ones, rounded to whole pixels, would make the line ragged

Points = NDArray[np.float64]  # (2, n), the x and the y of each


def render(ink: Ink, limits: ImageLimits) -> NDArray[np.uint8]:
    """Strokes -> (128, 128) uint8 raster, 255 = ink on 0. Raises InvalidInput, naming the stroke."""
    points = _validate(ink, limits)
    pen = ink.pen_width or _DEFAULT_PEN * min(ink.width, ink.height)
    low, high = points.min(1, keepdims=True), points.max(1, keepdims=True)
    extents = (high - low).ravel().tolist()
    scale, width = _scale(extents, pen)
    centered = (points - (low + high) / 2) * (scale * _OVERSAMPLING) + RASTER_SIDE * _OVERSAMPLING / 2
    image = Image.new("L", (RASTER_SIDE * _OVERSAMPLING,) * 2)
    _draw(ImageDraw.Draw(image), centered, [len(stroke.x) for stroke in ink.strokes], width * _OVERSAMPLING)
    return _reduce(image, *(math.ceil((scale * extent + width) / 2) + _MARGIN for extent in extents))


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
    ends: NDArray[np.intp] = np.cumsum(counts, dtype=np.intp)
    starts = ends - np.array(counts)
    keep = _find_spaced_points(points)
    keep[starts] = keep[ends - 1] = True
    kept = np.flatnonzero(keep)
    points = np.rint(points.take(kept, 1) - 0.5)  # Pillow draws at whole pixel centers
    kept_starts = np.searchsorted(kept, starts)
    flat = points.T.ravel().tolist()
    for start, end in pairwise([*kept_starts.tolist(), len(kept)]):
        if end - start > 1:
            draw.line(flat[2 * start : 2 * end], 255, max(1, round(width)))
    radius = (round(width) - 1) / 2
    joints = points.T[_find_round_joints(points, kept_starts)]
    for corners in np.hstack([joints - radius, joints + radius]).tolist():
        draw.ellipse(corners, 255)


def _reduce(image: Image.Image, x: int, y: int) -> NDArray[np.uint8]:
    """Return the image at the raster's size. x, y: px of the raster from its center, beyond which there is no ink."""
    middle, times = RASTER_SIDE // 2, _OVERSAMPLING
    left, top, right, bottom = middle - x, middle - y, middle + x, middle + y
    raster = np.zeros((RASTER_SIDE, RASTER_SIDE), dtype=np.uint8)
    reduced = image.reduce(times, (left * times, top * times, right * times, bottom * times))
    raster[top:bottom, left:right] = np.asarray(reduced)
    return raster


def _find_spaced_points(points: Points) -> NDArray[np.bool_]:
    """Return a mask (n,) of points that are at least _SPACING apart along the line, and of the last one."""
    along = np.hypot(*(points[:, 1:] - points[:, :-1])).cumsum() // (_SPACING * _OVERSAMPLING)
    is_spaced = np.ones(points.shape[1], dtype=np.bool_)
    np.greater(along[1:], along[:-1], out=is_spaced[1:-1])
    return is_spaced


def _find_round_joints(points: Points, starts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return a mask (n,) of the ends of the lines, and of turns so sharp that a gap would show on the outer side.
    starts: the first point of each line.
    """
    steps = points[:, 1:] - points[:, :-1]
    lengths, products = np.hypot(*steps), steps[:, 1:] * steps[:, :-1]
    is_round = np.ones(points.shape[1], dtype=np.bool_)
    np.less(products[0] + products[1], _STRAIGHT * lengths[1:] * lengths[:-1], out=is_round[1:-1])
    is_round[starts] = is_round[starts - 1] = True
    return is_round


def _validate(ink: Ink, limits: ImageLimits) -> Points:
    """Return the points of all strokes, (2, n). Raises InvalidInput."""
    _require(bool(ink.strokes), "strokes", "is empty; draw something")
    for name, size in (("width", ink.width), ("height", ink.height)):
        _require(_MIN_SIZE <= size <= _MAX_COORDINATE, name, "must be above 0; send the size of the canvas")
    valid = ink.pen_width == 0 or _MIN_SIZE <= ink.pen_width <= _MAX_COORDINATE
    _require(valid, "pen_width", "must be 0 (the default) or the pen's thickness in canvas units")
    _require(len(ink.strokes) <= limits.max_strokes, "strokes", f"has over {limits.max_strokes} strokes")
    _require(ink.points <= limits.max_points, "strokes", f"has over {limits.max_points} points; send fewer of them")
    for number, stroke in enumerate(ink.strokes):
        _check_lengths(stroke, number)
    axes = chain((stroke.x for stroke in ink.strokes), (stroke.y for stroke in ink.strokes))
    points = np.fromiter(chain.from_iterable(axes), np.float64, 2 * ink.points).reshape(2, -1)
    if not np.abs(points).max() <= _MAX_COORDINATE:  # also what is not a number
        _raise_far_off(ink.strokes)
    return points


def _check_lengths(stroke: Stroke, number: int) -> None:
    count = len(stroke.x)
    if not count:
        _refuse(f"strokes[{number}].x", "is empty; a stroke has at least one point")
    for name, values in (("y", stroke.y), ("time_ms", stroke.t), ("pressure", stroke.pressure)):
        if len(values) != count and (values or name == "y"):
            _refuse(f"strokes[{number}].{name}", f"has {len(values)} values, but x has {count}")
        if name != "y" and not math.isfinite(sum(values)):
            _refuse(f"strokes[{number}].{name}", "has a value that is not finite")


def _raise_far_off(strokes: Sequence[Stroke]) -> None:
    for i, stroke in enumerate(strokes):
        for name, values in (("x", stroke.x), ("y", stroke.y)):
            valid = all(abs(value) <= _MAX_COORDINATE for value in values)
            _require(valid, f"strokes[{i}].{name}", "has a coordinate that is not finite or far off the canvas")


def _require(valid: bool, field: str, problem: str) -> None:
    if not valid:
        _refuse(field, problem)


def _refuse(field: str, problem: str) -> NoReturn:
    raise InvalidInput(f"glyph.ink.{field}", problem)
