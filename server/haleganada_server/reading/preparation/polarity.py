"""Light text on a dark ground, told by how brightness is distributed around its strokes.

Where there is text, most of the surface is ground, and the ink is the longer tail: dark ink makes the distribution
skewed to the dark side, light ink to the light side. The edge of a dark table around a white page is skewed to neither.
"""

from __future__ import annotations

import cv2
import numpy as np

from .ink import Gray, reduce_to_gray

_SIDE = 800  # px of the copy that is looked at
_WINDOW = 21  # px on that copy: about a line and what is above and below it
_TEXT = 0.002  # of the page, that has text at least
_MIN_SPREAD = 10.0  # levels, standard deviation; less is paper
_SURE = 0.8
"""Mean skewness (third standardized moment). Pages of dark print and handwriting have -1.5 to -4."""


def is_light_on_dark(gray: Gray) -> bool:
    """Return whether the page has light text on a dark ground, for sure."""
    if np.median(gray) >= 128:
        return False
    levels = reduce_to_gray(gray, _SIDE).astype(np.float32) - float(gray.mean())
    square, window = levels * levels, (_WINDOW, _WINDOW)
    mean, mean2, mean3 = (np.asarray(cv2.blur(power, window)) for power in (levels, square, square * levels))
    variance = mean2 - mean**2
    text = variance > _MIN_SPREAD**2
    if text.mean() < _TEXT:
        return False
    mean, mean2, mean3, variance = mean[text], mean2[text], mean3[text], variance[text]
    return bool(((mean3 - 3 * mean * mean2 + 2 * mean**3) / variance**1.5).mean() > _SURE)
