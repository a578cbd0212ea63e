"""Cuts lines out of pictures, level, and brings what was read there back to where it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import Polygon, TextLine

from .lines import bounds, map_line

if TYPE_CHECKING:
    from haleganada_server.reading.preparation.prepared import Box


_FRAGMENT = 0.7  # of a line's height, below which something beside it may be a part of it
_NEAR = 0.2  # heights of the line


@dataclass(frozen=True, slots=True, eq=False)
class LineCut:
    """picture: (height, width, 3) RGB, a level line. back: (3, 3), maps its px to px of the picture it was cut from."""

    picture: NDArray[np.uint8]
    back: NDArray[np.float64]

    def place(self, line: TextLine) -> TextLine:
        """Return a line that was read in the cut with its polygons in px of the whole picture."""
        return map_line(line, self._place_polygon)

    def _place_polygon(self, polygon: Polygon) -> Polygon:
        points = np.column_stack([np.asarray(polygon, np.float64), np.ones(len(polygon))]) @ self.back.T
        return tuple((float(x / w), float(y / w)) for x, y, w in points)


def cut_lines(picture: NDArray[np.uint8], outlines: Sequence[Polygon]) -> list[LineCut]:
    """Cut lines out of a picture. outlines: of four corners each, clockwise from where the text begins."""
    return [_cut_line(picture, np.asarray(outline, np.float32)) for outline in outlines]


def widen_outlines(outlines: Sequence[Polygon], above: float, below: float) -> list[Polygon]:
    """Return outlines of four corners that reach higher and lower by these shares of their height, but at most halfway
    to the next line.
    """
    boxes = [bounds([outline]) for outline in outlines]
    widened: list[Polygon] = []
    for outline, (left, top, right, bottom) in zip(outlines, boxes, strict=True):
        beside = [box for box in boxes if box[0] < right and box[2] > left]
        over = [top - box[3] for box in beside if box[1] < top]
        under = [box[1] - bottom for box in beside if box[3] > bottom]
        up, down = (
            max(0.0, min(share * (bottom - top), min(gaps, default=math.inf) / 2)) / max(1.0, bottom - top)
            for share, gaps in ((above, over), (below, under))
        )
        widened.append(_stretch(outline, up, down) if len(outline) == 4 else outline)
    return widened


def join_fragments(outlines: Sequence[Polygon]) -> list[Polygon]:
    """Return outlines of four corners without those of letters below or above a line, to which that line now reaches.
    Finders that do not know a script take such letters for lines of their own.
    """
    boxes = [bounds([outline]) for outline in outlines]
    hosts = [_find_host(place, boxes) for place in range(len(boxes))]
    joined: list[Polygon] = []
    for place, outline in enumerate(outlines):
        if hosts[place] is not None:
            continue
        _, top, _, bottom = boxes[place]
        own = [boxes[other] for other, host in enumerate(hosts) if host == place]
        up = max([top - box[1] for box in own] + [0.0]) / max(1.0, bottom - top)
        down = max([box[3] - bottom for box in own] + [0.0]) / max(1.0, bottom - top)
        joined.append(_stretch(outline, up, down) if len(outline) == 4 and own else outline)
    return joined


def _find_host(place: int, boxes: Sequence[Box]) -> int | None:
    """Return the line that a fragment belongs to, None for what is no fragment."""
    left, top, right, bottom = boxes[place]
    for other, (start, upper, end, lower) in enumerate(boxes):
        height = lower - upper
        is_small = bottom - top < _FRAGMENT * height and right - left < 0.5 * (end - start)
        is_within = left >= start - _NEAR * height and right <= end + _NEAR * height
        is_near = top <= lower + _NEAR * height and bottom >= upper - _NEAR * height
        if other != place and is_small and is_within and is_near:
            return other
    return None


def _stretch(outline: Polygon, up: float, down: float) -> Polygon:
    left_top, right_top, right_bottom, left_bottom = (np.asarray(corner, np.float64) for corner in outline)
    left, right = left_bottom - left_top, right_bottom - right_top
    corners = left_top - up * left, right_top - up * right, right_bottom + down * right, left_bottom + down * left
    return tuple((float(x), float(y)) for x, y in corners)


def _cut_line(picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> LineCut:
    left_top, right_top, right_bottom, left_bottom = corners
    width = max(1, round(float(max(np.hypot(*(right_top - left_top)), np.hypot(*(right_bottom - left_bottom))))))
    height = max(1, round(float(max(np.hypot(*(left_bottom - left_top)), np.hypot(*(right_bottom - right_top))))))
    target = np.asarray([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    warp = cv2.getPerspectiveTransform(corners, target)
    cut = cv2.warpPerspective(picture, warp, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return LineCut(np.asarray(cut, np.uint8), np.linalg.inv(warp).astype(np.float64))
