"""Ruled lines, underlines and rules of tables are removed; letters that cross them stay.

A line is a long, thin run of px that are darker than what is above and below them, nearly without gaps. It is removed
by a closing across it (Serra 1982), which fills what is thinner than its element from above and below: a stroke that
crosses the line is thicker that way, and remains.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import Gray, Ink

_LONG = 0.35
"""Least length as a part of the page's width or height."""
_LEAST = 60  # px on the reduced page
_THICK = 5  # px on the reduced page; 1.3 mm of an A4 page
_AROUND = 31  # px on the reduced page; a letter that stands on the line is lower
_CONTRAST = 8.0  # levels; faint rules disturb, too
_DARKER = 1.5
"""Times the contrast of the line from which on ink over it is a letter's."""
_EVEN = 0.35
"""Part of the contrast that is usual along a line, which all of the line has; gaps between letters have less."""
_COVERED = 0.95
"""Part of a line that is darker than the paper; lines of text have gaps."""
_BESIDE = 5  # px on the reduced page, where it shows whether the line is alone
_SEEDED = 0.1
"""Part of a line that must be alone; the rest may have dense text on it."""
_BLANK, _WRITTEN = 0.25, 0.7
"""Most that is dark on one side of a line and on the other, where text may stand. Within a line of text, both are."""


_ROOTS = np.sqrt(np.arange(256) * 255).astype(np.uint8)
_LEAST_DARK = np.maximum(_EVEN * np.arange(256) ** 2 / 255, _CONTRAST).astype(np.uint8)
"""By the mean root of the contrast along a line: the contrast from which on a px belongs to it."""


def remove_ruled_lines(picture: NDArray[np.uint8], gray: Gray) -> NDArray[np.uint8]:
    """Return the picture without its ruled lines; the given one if it has none. gray: its reduced copy."""
    result = picture
    for across in (True, False):
        turned = gray if across else np.ascontiguousarray(gray.T)
        lines = find_lines(turned)
        if lines.any():
            if result is picture:
                result = picture.copy()
            _erase(result if across else result.transpose(1, 0, 2), lines)
    return result


def find_lines(gray: Gray) -> Ink:
    """Return where there are thin lines across a dark-on-light page, 255 = line."""
    length = max(_LEAST, round(_LONG * gray.shape[1]))
    if length > gray.shape[1]:
        return np.zeros_like(gray)
    contrast = cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, np.ones((_AROUND, 1), np.uint8))
    usual = cv2.blur(cv2.LUT(contrast, _ROOTS), (length, 1))  # in roots: letters on a faint line count for little
    dark = np.asarray(cv2.compare(contrast, cv2.LUT(usual, _LEAST_DARK), cv2.CMP_GT), np.uint8)
    covered = np.asarray(cv2.blur(dark, (length, 1)), np.uint8)
    above, below = np.roll(covered, _BESIDE, axis=0), np.roll(covered, -_BESIDE, axis=0)
    is_alone = (np.minimum(above, below) < _BLANK * 255) & (np.maximum(above, below) < _WRITTEN * 255)
    centers = _keep_with((covered > _COVERED * 255).view(np.uint8), is_alone)
    lines = np.asarray(cv2.dilate(centers * 255, np.ones((1, length), np.uint8)), np.uint8) & dark
    _, parts, stats, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
    # A line that slopes a little is as high as it rises, but its area is that of a thin one.
    thick = stats[:, cv2.CC_STAT_AREA] > _THICK * stats[:, cv2.CC_STAT_WIDTH]
    return np.where(thick[parts], 0, lines).astype(np.uint8)


def _keep_with(mask: NDArray[np.uint8], seeds: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the parts of the mask (0 and 1) that have enough seeds in them."""
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    sizes = np.bincount(labels.ravel(), minlength=count)
    seeded = np.bincount(labels[seeds], minlength=count)
    keep = seeded >= _SEEDED * sizes
    keep[0] = False
    return np.asarray(keep[labels], np.uint8)


def _erase(picture: NDArray[np.uint8], lines: Ink) -> None:
    """Remove the lines from the picture, in place."""
    scale = picture.shape[0] / lines.shape[0]
    reach = round(_THICK * scale) + 2
    rows = np.flatnonzero(lines.any(axis=1))
    for band in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        top = max(0, int(band[0] * scale) - 3 * reach)
        bottom = min(picture.shape[0], int((band[-1] + 1) * scale) + 3 * reach)
        _erase_band(picture[top:bottom], lines[band[0] : band[-1] + 1], (top, band[0] * scale, scale), reach)


def _erase_band(part: NDArray[np.uint8], lines: Ink, place: tuple[int, float, float], reach: int) -> None:
    """part: rows of the picture. lines: those of the reduced page, which begin `place[1] - place[0]` px below."""
    top, first, scale = place
    height, width = part.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    begin = max(0, round(first - top))
    rows = min(height - begin, max(1, round(lines.shape[0] * scale)))
    mask[begin : begin + rows] = cv2.resize(lines, (width, rows), interpolation=cv2.INTER_NEAREST)
    mask = np.asarray(cv2.dilate(mask, np.ones((2 * round(scale) + 3, 2 * round(scale) + 1), np.uint8)))
    source = np.ascontiguousarray(part)
    contrast = _measure_contrast(source, 2 * reach + 1)
    dark = (mask > 0) & (contrast > _CONTRAST)
    if not dark.any():
        return
    usual = np.median(contrast[dark])
    heights = (dark & (contrast > usual / 2)).sum(axis=0)
    thickness = int(np.median(heights[heights > 0]))
    element = thickness + 2 + (thickness + 1) % 2  # odd, and longer than the line is thick
    filled = np.asarray(cv2.morphologyEx(source, cv2.MORPH_CLOSE, np.ones((element, 1), np.uint8)), np.uint8)
    gone = dark & (contrast <= _DARKER * usual)
    part[gone] = filled[gone]


def _measure_contrast(part: NDArray[np.uint8], element: int) -> NDArray[np.uint8]:
    """(height, width): by how many levels each px is darker than what is above and below it."""
    gray = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.morphologyEx(gray, cv2.MORPH_BLACKHAT, np.ones((element, 1), np.uint8)), np.uint8)
