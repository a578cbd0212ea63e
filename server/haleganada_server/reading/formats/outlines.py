"""Polygons in the terms of file formats: boxes, lists of points, the quadrilateral in which a text runs."""

from __future__ import annotations

import math
from typing import NamedTuple

from haleganada_server.core.reading.page import Point, Polygon


class Box(NamedTuple):
    """An upright rectangle around a polygon, in whole px; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def surround(polygon: Polygon, width: int, height: int) -> Box:
    """Return the box around a polygon, within a page of width x height px; it has at least one px."""
    xs, ys = [x for x, _ in polygon] or [0.0], [y for _, y in polygon] or [0.0]
    left, top = _clip(min(xs), width - 1), _clip(min(ys), height - 1)
    right, bottom = _clip(max(xs), width, round_up=True), _clip(max(ys), height, round_up=True)
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))


def round_points(polygon: Polygon, width: int, height: int) -> list[tuple[int, int]]:
    """Return the corners in whole px, within a page of width x height px; at least two, as formats demand."""
    points = [(min(max(round(x), 0), width), min(max(round(y), 0), height)) for x, y in polygon]
    return points if len(points) > 1 else (points or [(0, 0)]) * 2


def angle(polygon: Polygon) -> float:
    """Return by how many degrees a text in the polygon is turned counterclockwise, -180 to 180."""
    if len(polygon) < 2:
        return 0.0
    (x0, y0), (x1, y1) = polygon[:2] if len(polygon) == 4 else _longest_side(polygon)
    return math.degrees(math.atan2(y0 - y1, x1 - x0))


def _longest_side(polygon: Polygon) -> tuple[Point, Point]:
    """Return the longest of the sides that lead to the right, as most of an upright line's outline does."""
    sides = list(zip(polygon, (*polygon[1:], polygon[0]), strict=True))
    return max(sides, key=lambda side: side[1][0] - side[0][0])


def _clip(value: float, limit: int, *, round_up: bool = False) -> int:
    # a hair over a whole number is that number, whatever arithmetic made of it
    whole = math.ceil(value - 1e-3) if round_up else math.floor(value + 1e-3)
    return min(max(whole, 0), max(limit, 0))
