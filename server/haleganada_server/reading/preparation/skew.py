"""Lines that slope are made level."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .profile import MAX_DEGREES, Direction

_SURE = 1.3
"""Sharpness, see profile.py, from which on the lines have a direction."""
_LEVEL_DEGREES = 0.2
"""Lines that slope by less are level enough; turning a picture blurs it a little."""


def find_skew(direction: Direction | None) -> float | None:
    """Return by how many degrees the lines rise to the right, None if that is not sure."""
    if direction is None or direction.sharpness < _SURE or abs(direction.degrees) > MAX_DEGREES:
        return None
    return round(direction.degrees, 2)


def level(picture: NDArray[np.uint8], degrees: float) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return a picture whose lines rose by `degrees` with level lines, and the map (2, 3) of its px to the given ones.
    It grows so that nothing is lost; its corners get the color of the paper.
    """
    if abs(degrees) < _LEVEL_DEGREES:
        return picture, np.eye(2, 3)
    height, width = picture.shape[:2]
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    new_width = math.ceil(width * cosine + height * abs(sine))
    new_height = math.ceil(height * cosine + width * abs(sine))
    # Both pictures are turned around their centers; px are squares, so that the first one's center is at (0.5, 0.5).
    turned = np.array([[cosine, sine], [-sine, cosine]])
    shift = np.array([width, height]) / 2 - turned @ (np.array([new_width, new_height]) / 2)
    back = np.column_stack([turned, shift])
    centers = back.copy()
    centers[:, 2] += turned @ np.array([0.5, 0.5]) - 0.5  # OpenCV counts from the center of the first px
    leveled = cv2.warpAffine(
        picture,
        centers,
        (new_width, new_height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_find_paper(picture),
    )
    return np.asarray(leveled, np.uint8), back


def _find_paper(picture: NDArray[np.uint8]) -> tuple[float, ...]:
    """Return the usual color of the page."""
    step = max(1, max(picture.shape[:2]) // 200)
    return tuple(float(level) for level in np.atleast_1d(np.median(picture[::step, ::step], axis=(0, 1))))
