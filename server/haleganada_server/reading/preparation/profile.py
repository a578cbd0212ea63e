"""How sharply the lines of a page stand out when it is looked at along an angle (Postl 1986).

The lower edges of ink are projected along the angle. Along the lines they pile up on baselines, so that the sums of
neighboring rows differ most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import Ink

MAX_DEGREES = 10.0
_COARSE, _FINE = 0.25, 0.03  # degrees between the angles that are tried
_BEYOND = 1.0  # degrees more than MAX_DEGREES that are tried, so that a best angle at the end is told from a peak
_ENOUGH = 24_000
"""Of lower edges, for a first look; the best angle is then found with all."""
_STRAIGHT = 8
"""Rows that may be fuller than any line of text: edges of the paper, which are perfectly straight, must not decide."""
_MIN_EDGES = 150
"""Of lower edges, in px; a few words have as many."""


@dataclass(frozen=True, slots=True)
class Direction:
    """degrees: by how much the lines rise to the right. sharpness: of this angle, as a multiple of the usual one."""

    degrees: float
    sharpness: float


def find_direction(text: Ink) -> Direction | None:
    """Return the best angle within MAX_DEGREES of level; None if there is next to nothing on the page. text: the ink
    without borders and pictures, as Parts.drop_large returns it.
    """
    x, y = _find_lower_edges(text)
    if x.size < _MIN_EDGES:
        return None
    coarse = np.arange(-MAX_DEGREES - _BEYOND, MAX_DEGREES + _BEYOND + 1e-9, _COARSE)
    some = slice(None, None, 1 + x.size // _ENOUGH)
    scores = np.array([_measure(x[some], y[some], degrees) for degrees in coarse])
    best = float(coarse[scores.argmax()])
    fine = best + np.arange(-_COARSE, _COARSE + 1e-9, _FINE)
    fine_scores = np.array([_measure(x, y, degrees) for degrees in fine])
    degrees = float(fine[fine_scores.argmax()])
    return Direction(degrees, float(scores.max() / max(float(np.median(scores)), 1e-9)))


def _find_lower_edges(ink: Ink) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x and y of each px of ink that has none below."""
    below = np.zeros_like(ink)
    below[:-1] = ink[1:]
    edges = cv2.findNonZero(ink & ~below)
    if edges is None:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    points = np.asarray(edges, np.float32).reshape(-1, 2)
    return points[:, 0].copy(), points[:, 1].copy()


def _measure(x: NDArray[np.float32], y: NDArray[np.float32], degrees: float) -> float:
    """Return the sum of squared differences of neighboring rows."""
    rows = x * np.float32(math.tan(math.radians(degrees))) + y
    rows -= rows.min()
    counts = np.bincount(rows.astype(np.intp), minlength=_STRAIGHT).astype(np.float64)
    counts = np.minimum(counts, np.partition(counts, -_STRAIGHT)[-_STRAIGHT])
    difference = counts[1:] - counts[:-1]
    return float(difference @ difference)
