"""In which direction a line is read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RIGHTWARDS, LEFTWARDS, DOWNWARDS = 0, 1, 2

Ints = NDArray[np.int32]


def measure_gaps(boxes: Ints, directions: Ints) -> Ints:
    """Return how many px each box is behind the one before it, (n,), 0 for the first; less than 0 where one reaches
    over the other. boxes: (n, 4) left, top, right, bottom, in order. directions: (n,), in which each is read.
    """
    gaps = np.zeros(len(boxes), np.int32)
    before, after = boxes[:-1], boxes[1:]
    gaps[1:] = np.select(
        [directions[1:] == LEFTWARDS, directions[1:] == DOWNWARDS],
        [before[:, 0] - after[:, 2], after[:, 1] - before[:, 3]],
        after[:, 0] - before[:, 2],
    )
    return gaps
