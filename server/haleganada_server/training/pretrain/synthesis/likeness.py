"""Which characters look alike, judged by their blurred ink, so that no recognizer chooses what it learns from."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .polylines import Drawing
from .rasters import SIDE, rasterize

_THUMBNAIL = 16  # pixels
_PEN = 10
_MOST_DRAWINGS = 12


def rank_by_likeness(characters: Sequence[Sequence[Drawing]]) -> NDArray[np.intp]:
    """Return for each character all of them, (n, n), from itself to the one that looks least like it.

    Characters are compared by the means of the thumbnails of their first twelve drawings.
    """
    if not characters:
        return np.zeros((0, 0), np.intp)
    means = np.stack([_average_thumbnails(drawings[:_MOST_DRAWINGS]) for drawings in characters])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    likeness = means @ means.T
    np.fill_diagonal(likeness, np.inf)
    return np.asarray((-likeness).argsort(axis=1, kind="stable"))


def _average_thumbnails(drawings: Sequence[Drawing]) -> NDArray[np.float64]:
    """Return the mean thumbnail of drawings as a vector."""
    thumbnails = [_make_thumbnail(drawing) for drawing in drawings]
    return np.asarray(np.mean([t / np.linalg.norm(t) for t in thumbnails], axis=0))


def _make_thumbnail(drawing: Drawing) -> NDArray[np.float64]:
    """Return blurred ink as a vector."""
    ink = rasterize(drawing, _PEN, 1.0, np.zeros(2), SIDE)
    small = cv2.resize(ink, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (5, 5), 1.0), np.float64).ravel()
