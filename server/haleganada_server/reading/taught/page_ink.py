"""The ink of a prepared page at its full resolution, and its connected pieces."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from haleganada_server.reading.preparation.ink import REDUCED_SIDE, find_ink, find_parts, reduce_to_gray

Levels = NDArray[np.uint8]
Pieces = NDArray[np.int32]
"""(height, width): the number of the piece that a pixel belongs to, 0 = ground."""

_GROUND = 2.0  # letter heights; what is wider than that is ground, not ink
_LEAST_GROUND = 15  # px
_MIN_CONTRAST = 24  # levels between ink and paper
_STRONG = 75  # percentile of what is darker than paper: the usual contrast of ink, although rules are paler
_EDGE, _FULL = 0.45, 0.75  # of that contrast: at the edge of a stroke, and from which on ink is black
_PALE = 200  # levels that a piece of ink reaches somewhere; what does not is a rule, a shadow or shows through
_SPECK = 0.8  # of a pen's width squared: the least area of a piece
_HUGE = 12.0  # letter heights; longer pieces are frames, rules and pictures


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PageInk:
    """levels: (height, width), 255 = full ink on 0, soft at the edges. pieces: connected ink, numbered from 1.
    boxes: (pieces + 1, 4) left, top, right, bottom in px, the last two exclusive; areas: (pieces + 1,) px. letter: the
    usual height of letters, pen: the usual thickness of strokes, both in px.
    """

    levels: Levels
    pieces: Pieces
    boxes: NDArray[np.int32]
    areas: NDArray[np.int32]
    letter: float
    pen: float

    @property
    def count(self) -> int:
        return len(self.areas) - 1

    def keep(self, chosen: NDArray[np.bool_]) -> PageInk:
        """Return it with some pieces alone. chosen: (pieces + 1,), whatever it says of the ground."""
        if chosen[1:].all():
            return self
        kept = np.concatenate([[0], np.flatnonzero(chosen[1:]) + 1])
        number = np.zeros(len(self.areas), np.int32)
        number[kept] = np.arange(len(kept))
        return replace(self, pieces=number[self.pieces], boxes=self.boxes[kept], areas=self.areas[kept])


def find_page_ink(picture: NDArray[np.uint8]) -> PageInk | None:
    """(height, width, 3) RGB, dark on light -> its ink without specks and frames; None without ink."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    reduced = reduce_to_gray(gray)
    usual = find_parts(find_ink(reduced)).find_letter_height()
    if usual is None:
        return None
    letter = usual * max(1.0, max(gray.shape) / REDUCED_SIDE)
    levels = _measure_levels(gray, letter)
    mask = (levels >= 128).astype(np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    if count < 2:
        return None
    return _keep_letters(levels, np.asarray(pieces, np.int32), np.asarray(stats, np.int32), letter)


def _measure_levels(gray: NDArray[np.uint8], letter: float) -> Levels:
    """Return how black each pixel is beside the ground around it, so that 128 is the edge of a stroke."""
    side = max(_LEAST_GROUND, round(_GROUND * letter))
    factor = min(1.0, 24 / side)  # the ground is smooth, so that a small copy shows it
    small = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else gray
    kernel = np.ones((max(3, round(side * factor)) | 1,) * 2, np.uint8)
    ground = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel), (0, 0), len(kernel) / 4)
    if factor < 1:
        ground = cv2.resize(ground, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    contrast = 255 - np.asarray(cv2.divide(gray, ground, scale=255), np.uint8)
    rough, _ = cv2.threshold(contrast, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    inked = contrast[contrast > rough]
    full = float(np.percentile(inked, _STRONG)) if inked.size else 255.0
    edge = max(_EDGE * full, _MIN_CONTRAST)
    ramp = np.interp(np.arange(256), [0, edge / 2, edge, max(_FULL * full, edge + 1)], [0, 0, 128, 255])
    return np.asarray(cv2.LUT(contrast, ramp.round().astype(np.uint8)), np.uint8)


def _keep_letters(levels: Levels, pieces: Pieces, stats: NDArray[np.int32], letter: float) -> PageInk | None:
    left, top, wide, tall, area = (stats[:, column] for column in range(5))
    height, width = levels.shape
    letter = _usual_height(tall[1:], area[1:], letter)
    pen = _usual_pen(pieces > 0)
    is_speck = area < max(3.0, _SPECK * pen**2)
    is_huge = np.maximum(wide, tall) > max(_HUGE * letter, 0.0)
    is_huge &= np.maximum(wide, tall) > 0.5 * max(height, width)
    darkest = np.zeros(len(stats), np.uint8)
    rows, columns = np.nonzero(pieces)
    np.maximum.at(darkest, pieces[rows, columns], levels[rows, columns])
    kept = ~(is_speck | is_huge | (darkest < _PALE))
    kept[0] = False
    if not kept.any():
        return None
    number = np.zeros(len(stats), np.int32)
    number[kept] = np.arange(1, int(kept.sum()) + 1)
    chosen = np.concatenate([[0], np.flatnonzero(kept)])
    boxes = np.stack([left, top, left + wide, top + tall], axis=1)[chosen]
    return PageInk(levels=levels, pieces=number[pieces], boxes=boxes, areas=area[chosen], letter=letter, pen=pen)


def _usual_height(heights: NDArray[np.int32], areas: NDArray[np.int32], roughly: float) -> float:
    """Return the median height of the pieces that may be letters, weighted by their ink."""
    may_be = (heights > 0.35 * roughly) & (heights < 2.5 * roughly)
    if not may_be.any():
        return roughly
    order = np.argsort(heights[may_be])
    total = np.cumsum(areas[may_be][order].astype(np.float64))
    return float(heights[may_be][order][np.searchsorted(total, total[-1] / 2)])


def _usual_pen(mask: NDArray[np.bool_]) -> float:
    """Return twice the area over the length of the outline, as vision/ink/pen.py does for one drawing."""
    outline = np.count_nonzero(mask[1:] ^ mask[:-1]) + np.count_nonzero(mask[:, 1:] ^ mask[:, :-1])
    return max(1.0, 2 * float(np.count_nonzero(mask)) / max(1.0, outline * np.pi / 4))
