"""Cuts lines out of pictures, level, and brings what was read there back to where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.reading.page import Polygon, TextLine

from .lines import map_line


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


def _cut_line(picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> LineCut:
    left_top, right_top, right_bottom, left_bottom = corners
    width = max(1, round(float(max(np.hypot(*(right_top - left_top)), np.hypot(*(right_bottom - left_bottom))))))
    height = max(1, round(float(max(np.hypot(*(left_bottom - left_top)), np.hypot(*(right_bottom - right_top))))))
    target = np.asarray([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    warp = cv2.getPerspectiveTransform(corners, target)
    cut = cv2.warpPerspective(picture, warp, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return LineCut(np.asarray(cut, np.uint8), np.linalg.inv(warp).astype(np.float64))
