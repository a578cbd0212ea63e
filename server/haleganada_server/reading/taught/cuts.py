"""Cuts connected ink in which letters touch: along seams from its top to its bottom that cross as little ink as can be.

Where letters really end is not known here. Each cut has a price, the ink that it crosses, and whoever reads may leave
it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_LETTER = 40.0  # px of a letter's height in the copy in which seams are sought
_MOST_CROSSED = 4.5  # pen widths of ink
_LEAST_WIDTH = 0.22  # letter heights between two cuts
_LEAST_INK = 1.2  # of a stroke as long as _LEAST_WIDTH, that a cut leaves on either side
_USUAL_WIDTH = 0.4  # letter heights: a piece is cut into so wide parts at most, on average
_SIDEWAYS = 0.12  # px of ink that a step to the side costs, so that seams are straight where that costs nothing

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class CutPiece:
    """numbers: (height, width), the part of each px, from the left, 0 = ground, 1 = the first part. crossed: of each
    cut, from the left, the ink in pen widths; one less than there are parts.
    """

    numbers: NDArray[np.int32]
    crossed: tuple[float, ...]


def cut_piece(mask: Mask, letter: float, pen: float) -> CutPiece:
    """Cut one connected piece. mask: (height, width), 1 where its ink is. letter, pen: see PageInk."""
    factor = min(1.0, _LETTER / letter)
    size = [max(1, round(side * factor)) for side in mask.shape[::-1]]
    small = np.pad(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA), 1).astype(np.float32)
    letter, pen = letter * factor, max(1.0, pen * factor)
    costs, paths = _find_seams(small)
    chosen = _choose(small, costs, paths, letter, pen)
    if not len(chosen):
        return CutPiece(mask.astype(np.int32), ())
    return CutPiece(_number(mask, paths[:, chosen] - 1), tuple(float(costs[end] / pen) for end in chosen))


def _find_seams(ink: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the cheapest seam that ends at each column of the last row: costs (width,) in px of ink, and paths
    (height, width), the column of each seam in each row.
    """
    height, width = ink.shape
    total = ink[0].astype(np.float64)
    steps = np.zeros((height, width), np.int8)
    for row in range(1, height):
        left = np.concatenate(([np.inf], total[:-1])) + _SIDEWAYS
        right = np.concatenate((total[1:], [np.inf])) + _SIDEWAYS
        side = np.minimum(left, right)
        steps[row] = np.where(total <= side, 0, np.where(left <= right, -1, 1))
        total = np.minimum(total, side) + ink[row]
    paths = np.empty((height, width), np.intp)
    paths[-1] = np.arange(width)
    for row in range(height - 1, 0, -1):
        paths[row - 1] = paths[row] + steps[row, paths[row]]
    crossed = np.take_along_axis(ink, paths, axis=1).sum(axis=0)
    return crossed.astype(np.float64), paths


def _choose(
    ink: NDArray[np.float32], costs: NDArray[np.float64], paths: NDArray[np.intp], letter: float, pen: float
) -> NDArray[np.intp]:
    """Return the seams to cut along, by their last column, from the left."""
    before = np.concatenate((np.zeros((len(ink), 1)), np.cumsum(ink, axis=1)), axis=1)
    left_ink = np.take_along_axis(before, paths, axis=1).sum(axis=0)
    on_seam = np.take_along_axis(ink, paths, axis=1)
    places = (on_seam * paths).sum(axis=0) / np.maximum(on_seam.sum(axis=0), 1e-6)
    total, least_ink = float(ink.sum()), _LEAST_INK * _LEAST_WIDTH * letter * pen
    chosen: list[int] = []
    most = int((ink.shape[1] - 2) / (_USUAL_WIDTH * letter)) - 1
    for end in np.argsort(costs, kind="stable"):
        if costs[end] > _MOST_CROSSED * pen or len(chosen) >= most:
            break
        if not least_ink <= left_ink[end] <= total - least_ink:
            continue
        if all(
            abs(left_ink[end] - left_ink[other]) >= least_ink
            and abs(places[end] - places[other]) >= _LEAST_WIDTH * letter
            for other in chosen
        ):
            chosen.append(int(end))
    return np.array(sorted(chosen, key=lambda end: left_ink[end]), np.intp)


def _number(mask: Mask, seams: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return the part of each px. seams: (height, cuts) columns in the reduced copy, which has a row of ground above
    and one below.
    """
    height, width = mask.shape
    rows = np.clip(((np.arange(height) + 0.5) * (len(seams) - 2) / height).astype(np.intp) + 1, 1, len(seams) - 2)
    seams = np.maximum.accumulate(seams, axis=1)
    columns = np.arange(width)
    scale = width / max(1, round(width * (len(seams) - 2) / height))
    parts = 1 + (columns[None, :, None] >= (seams[rows] * scale)[:, None, :]).sum(axis=2)
    return np.where(mask > 0, parts, 0).astype(np.int32)
