"""Shadows and stains are evened out, and faint text is made dark.

Each px is divided by the ground around it, which a closing shows: what is left is how much light the ink takes away,
wherever it stands.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import Gray, Ink, reduce_to_gray

_SIDE = 400  # px of the copy on which the ground is measured
_KERNEL = 17  # px on that copy; larger than letters of a heading
_EVEN = 0.85
"""Darkest part of the ground as a fraction of the brightest one, from which on the light is even enough."""
_DARKEST = 0.3
"""Of the brightest ground; what is darker is no paper in a shadow but a table, whose noise would become ink."""
_FAINT = 0.6
"""Brightness of ink as a fraction of the ground's, from which on it is faint."""
_DARK = 0.3  # what faint ink becomes
_STRIPE = 256  # rows that are divided at once, so that a large page is not in memory one more time
_MOST_GAIN = 5.0
_INK = (0.002, 0.3)
"""Part of a page that ink covers, at least and at most; anything else is an empty page or a photo."""


def even_light(picture: NDArray[np.uint8], gray: Gray, ink: Ink) -> NDArray[np.uint8]:
    """Return the picture with the same brightness of paper everywhere and dark ink; the given one if it has both.
    gray: its reduced copy. ink: where ink is on that.
    """
    inked = ink > 0
    if not _INK[0] <= inked.mean() <= _INK[1]:
        return picture
    ground = _find_ground(gray)
    dark, bright = np.percentile(ground, (2, 98))
    ground = np.maximum(ground, np.uint8(_DARKEST * bright))
    full = cv2.resize(ground, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    brightness = gray[inked] / np.maximum(np.asarray(full)[inked], 1).astype(np.float32)
    faintness = float(np.percentile(brightness, 10))  # of the darkest ink: thin strokes are paler on the reduced copy
    if dark >= _EVEN * bright and faintness < _FAINT:
        return picture
    size = picture.shape[1::-1]
    white = max(float(bright), 200.0)
    result = _divide(picture, np.asarray(cv2.resize(ground, size, interpolation=cv2.INTER_LINEAR), np.uint8), white)
    if faintness < _FAINT:
        return result
    gain = min((1 - _DARK) / max(1 - faintness, 0.01), _MOST_GAIN)
    levels = np.clip(white - gain * (white - np.arange(256)), 0, 255)
    levels[int(white) :] = np.arange(int(white), 256)
    return np.asarray(cv2.LUT(result, levels.astype(np.uint8)), np.uint8)


def _divide(picture: NDArray[np.uint8], ground: Gray, white: float) -> NDArray[np.uint8]:
    """Return the picture as if the ground had the level `white` everywhere."""
    result = np.empty_like(picture)
    for top in range(0, len(picture), _STRIPE):
        rows = slice(top, top + _STRIPE)
        cv2.divide(picture[rows], cv2.merge([ground[rows]] * 3), result[rows], scale=white)
    return result


def _find_ground(gray: Gray) -> Gray:
    small = reduce_to_gray(gray, _SIDE)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_KERNEL, _KERNEL))
    ground = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel)
    return np.maximum(np.asarray(cv2.GaussianBlur(ground, (0, 0), _KERNEL / 3), np.uint8), 1)
