"""Connected components of a small mask, without the libraries of image processing, which the server does not need."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def label_components(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(h, w) mask -> (h, w) numbers of the 8-connected groups of True cells, from 1 on; 0 elsewhere.

    Cells are joined a run of a row at a time: a mask of 64 x 64 has thousands of cells, and a few hundred runs.
    """
    wide = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    wide[:, 1:-1] = mask
    edges = wide[:, 1:] - wide[:, :-1]
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    below = (rows + 1) * (mask.shape[1] + 2)  # a position within the next row, for those of all rows in one order
    position = rows * (mask.shape[1] + 2)
    first = np.searchsorted(position + ends, below + starts, "left")
    last = np.searchsorted(position + starts, below + ends, "right")
    labels = np.zeros(mask.shape, np.intp)
    labels[mask] = np.repeat(_number_groups(first.tolist(), last.tolist()), ends - starts)
    return labels


def _number_groups(first: list[int], last: list[int]) -> NDArray[np.intp]:
    """Return the number of each run's group. The runs from first to last, exclusive, touch it from below."""
    parent = list(range(len(first)))

    def find(run: int) -> int:
        while parent[run] != run:
            parent[run] = run = parent[parent[run]]
        return run

    for run, (start, stop) in enumerate(zip(first, last, strict=True)):
        for other in range(start, stop):
            parent[find(other)] = find(run)
    roots = [find(run) for run in range(len(parent))]
    numbers = {root: number for number, root in enumerate(dict.fromkeys(roots), 1)}
    return np.array([numbers[root] for root in roots], np.intp)
