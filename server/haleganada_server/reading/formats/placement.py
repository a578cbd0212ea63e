"""Where a text runs on a page: the rectangle that its characters share, in px."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import Polygon

_LEVEL = math.radians(20)
"""Text that slopes by less is placed as if it were level: programs take sloping words for single letters, because the
base line of each letter is another one."""
_LEAST = 0.5  # px

Vector = NDArray[np.float64]


class Placement(NamedTuple):
    """start: the lower left corner of the first character as it is read. along: from there to the end of the text. up:
    from there to its upper edge.
    """

    start: Vector
    along: Vector
    up: Vector

    @property
    def end(self) -> Vector:
        return self.start + self.along


def place(polygon: Polygon) -> Placement:
    """Return where a text in this polygon runs, made level along the page's edges if it nearly is."""
    corners = text_quad(polygon)
    along, up = _vectors(corners)
    slope = math.atan2(along[1], along[0])
    level = round(slope / (math.pi / 2)) * math.pi / 2
    if abs(slope - level) > _LEVEL:
        return Placement(corners[3], along, up)
    direction = np.round((math.cos(level), math.sin(level)))
    upright = np.array((direction[1], -direction[0]))
    center, reach, height = corners.mean(0), corners @ direction, float(np.hypot(*up))
    length = max(float(np.ptp(reach)), _LEAST)
    start = center - direction * (center @ direction - reach.min()) - upright * height / 2
    return Placement(start, direction * length, upright * height)


def text_quad(polygon: Polygon) -> Vector:
    """Return a quadrilateral around a polygon, (4, 2) in px: upper left, upper right, lower right and lower left corner
    of the text as it is read.
    """
    points = np.asarray(polygon, np.float64).reshape(-1, 2)
    if len(points) == 4:
        return points
    if len(points) < 3:
        (left, top), (right, bottom) = (points.min(0), points.max(0)) if len(points) else ((0, 0), (0, 0))
        return np.array(((left, top), (right, top), (right, bottom), (left, bottom)), np.float64)
    corners = cv2.boxPoints(cv2.minAreaRect(points.astype(np.float32))).astype(np.float64)
    (x0, y0), (x1, y1) = corners[1] - corners[0], corners[2] - corners[1]
    if x0 * y1 < y0 * x1:  # counterclockwise as seen, with y downwards
        corners = corners[::-1]
    first = int(np.argmin(np.hypot(*(corners - points[0]).T)))
    return np.roll(corners, -first, axis=0)


def _vectors(corners: Vector) -> tuple[Vector, Vector]:
    """Return the text's direction and its upright, from the means of opposite edges, neither of them zero."""
    along = (corners[1] - corners[0] + corners[2] - corners[3]) / 2
    up = (corners[0] - corners[3] + corners[1] - corners[2]) / 2
    if np.hypot(*along) < _LEAST:
        along = np.array((_LEAST, 0.0))
    if np.hypot(*up) < _LEAST:
        up = np.array((along[1], -along[0])) * _LEAST / np.hypot(*along)
    return along, up
