"""A page with the outlines of all that was found on it, to look at."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from haleganada_server.core.reading.page import PageReading, Polygon

from .cutting import Picture, to_jpeg

_LINE, _WORD, _GLYPH = (0, 90, 200), (0, 150, 70), (230, 120, 0)
_OPACITY = 0.55  # of outlines, which often run through ink
_QUALITY = 85
_FAR = 2**15  # px; what is drawn to farther places looks the same
_PRECISE = 4  # binary digits of a px's fractions


def draw_overlay(picture: Picture, page: PageReading, glyphs: Iterable[Polygon]) -> bytes:
    """Return a JPEG. Lines are blue and numbered in reading order, words green, characters orange."""
    canvas = picture.copy()
    width = max(1, round(max(picture.shape[:2]) / 1500))
    words = [word.polygon for line in page.lines for word in line.words]
    lines = [line.polygon for line in page.lines]
    for polygons, color in ((glyphs, _GLYPH), (words, _WORD), (lines, _LINE)):
        outlines = [np.rint(np.clip(polygon, -_FAR, _FAR) * 2**_PRECISE).astype(np.int32) for polygon in polygons]
        cv2.polylines(canvas, outlines, True, color, width, cv2.LINE_AA, _PRECISE)
    canvas = np.asarray(cv2.addWeighted(canvas, _OPACITY, picture, 1 - _OPACITY, 0), np.uint8)
    for number, polygon in enumerate(lines, start=1):
        left, top = (round(value) for value in polygon[0])
        place = (max(left, 0), max(top - 2 * width, 10 * width))
        cv2.putText(canvas, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * width, _LINE, width, cv2.LINE_AA)
    return to_jpeg(canvas, _QUALITY)
