"""Cuts connected ink in which letters touch: along seams from its top to its bottom that cross as little ink as can be.

Where letters really end is not known here. Each cut has a price, the ink that it crosses, and whoever reads may leave
it out.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LETTER = 40.0  # px of a letter's height in the copy in which seams are sought
_MOST_CROSSED = 4.5  # pen widths of ink
_LEAST_WIDTH = 0.22  # letter heights between two cuts
_LEAST_INK = 1.2  # of a stroke as long as _LEAST_WIDTH, that a cut leaves on either side
_USUAL_WIDTH = 0.25  # letter heights: a piece is cut into so wide parts at most, on average
_EVEN = 0.3  # pen widths by which a stroke that joins two letters may be thicker elsewhere
_SIDEWAYS = 0.6  # px of ink that a step to the side costs, so that seams are rather straight than cheap
_LEAST_FRAGMENT = 1.5  # of a pen's width squared, that fragments have
_MOST_OF_ONE = 1.5  # pen widths of ink that the only cut of a piece crosses

Mask = NDArray[np.uint8]


def cut_piece(mask: Mask, letter: float, pen: float, *, once: bool = False) -> NDArray[np.int32]:
    """Cut one connected piece. mask: (height, width), 1 where its ink is. letter, pen: see PageInk. once: along one
    seam at most, which crosses little ink. Return the fragment of each px, each of which is connected, from 1, roughly
    from the left; 0 = ground.
    """
    factor = min(1.0, _LETTER / letter)
    size = [max(1, round(side * factor)) for side in mask.shape[::-1]]
    small = np.pad(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA), 1).astype(np.float32)
    letter, pen = letter * factor, max(1.0, pen * factor)
    costs, paths = _find_seams(small)
    chosen = _choose(small, costs, paths, letter, pen, once=once)
    if not len(chosen):
        return mask.astype(np.int32)
    return _part_connected(_number(mask, paths[:, chosen] - 1), _LEAST_FRAGMENT * (pen / factor) ** 2)


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
    ink: NDArray[np.float32],
    costs: NDArray[np.float64],
    paths: NDArray[np.intp],
    letter: float,
    pen: float,
    *,
    once: bool,
) -> NDArray[np.intp]:
    """Return the seams to cut along, by their last column, from the left. A stroke that is long and even is cut at both
    of its ends, where the letters are that it joins. once: see cut_piece.
    """
    before = np.concatenate((np.zeros((len(ink), 1)), np.cumsum(ink, axis=1)), axis=1)
    left_ink = np.take_along_axis(before, paths, axis=1).sum(axis=0)
    on_seam = np.take_along_axis(ink, paths, axis=1)
    places = (on_seam * paths).sum(axis=0) / np.maximum(on_seam.sum(axis=0), 1e-6)
    total, least_ink = float(ink.sum()), _LEAST_INK * _LEAST_WIDTH * letter * pen
    spacing, thinner = _LEAST_WIDTH * letter, _EVEN * pen
    chosen: list[int] = []
    limit = (_MOST_OF_ONE if once else _MOST_CROSSED) * pen
    most = 1 if once else int((ink.shape[1] - 2) / (_USUAL_WIDTH * letter)) - 1
    for end in np.argsort(costs, kind="stable").tolist():
        if costs[end] > limit:
            break
        first, last = _find_even(costs, end, min(limit, costs[end] + thinner))
        is_long = not once and places[last] - places[first] >= spacing
        for one in (first, last, end) if is_long else (end,):
            if (
                len(chosen) < most
                and least_ink <= left_ink[one] <= total - least_ink
                and all(
                    abs(left_ink[one] - left_ink[other]) >= least_ink / 2
                    and abs(places[one] - places[other]) >= spacing
                    for other in chosen
                )
            ):
                chosen.append(one)
    return np.array(sorted(chosen, key=lambda end: left_ink[end]), np.intp)


def _find_even(costs: NDArray[np.float64], end: int, most: float) -> tuple[int, int]:
    """Return the first and the last of the seams around one that cross no more than `most`: those of one stroke."""
    first = last = end
    while first > 0 and costs[first - 1] <= most:
        first -= 1
    while last + 1 < len(costs) and costs[last + 1] <= most:
        last += 1
    return first, last


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


def _part_connected(regions: NDArray[np.int32], least: float) -> NDArray[np.int32]:
    """Return the connected fragments of all regions; those of less than so many px are joined to the one that they
    touch.
    """
    numbers = np.zeros_like(regions)
    count = 0
    for region in range(1, int(regions.max()) + 1):
        found, labels, stats, _ = cv2.connectedComponentsWithStats((regions == region).astype(np.uint8), connectivity=8)
        for one in sorted(range(1, found), key=lambda one: int(stats[one, cv2.CC_STAT_LEFT])):
            count += 1
            numbers[labels == one] = count
    return _join_small(numbers, least)


def _join_small(numbers: NDArray[np.int32], least: float) -> NDArray[np.int32]:
    areas = np.bincount(numbers.ravel())
    for number in np.argsort(areas, kind="stable").tolist():
        if number == 0 or areas[number] >= least:
            continue
        around = cv2.dilate((numbers == number).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        touched = numbers[around & (numbers > 0) & (numbers != number)]
        if len(touched):
            numbers[numbers == number] = np.bincount(touched).argmax()
    return np.searchsorted(np.unique(numbers), numbers).astype(np.int32)
