"""The predictive densities of the head, in the form in which scores need them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .adaptation import Basis, Counts, Floats

_LARGEST_IN_TABLE = 2**16  # count; a table is read much faster than counts are sorted
_BLOCK = 1024  # labels at once: their matrices stay small however many there are


def find_distinct(counts: Counts) -> tuple[Counts, NDArray[np.intp]]:
    """Return the distinct counts, ascending, (c,), and which of them each count (L,) is, (L,)."""
    largest = int(counts.max(initial=0))
    if largest > _LARGEST_IN_TABLE:
        distinct, places = np.unique(counts, return_inverse=True)
        return distinct, places
    occurs = np.zeros(largest + 1, dtype=np.bool_)
    occurs[counts] = True
    distinct = np.flatnonzero(occurs)
    places = np.empty(largest + 1, dtype=np.intp)
    places[distinct] = np.arange(len(distinct))
    return distinct, places[counts]


def predictive_variance(between: Floats, count: int | NDArray[np.int64]) -> Floats:
    """Return the variances of the predictive density after `count` samples: (k,), or (L, k) for count (L, 1)."""
    return np.asarray(1 + between / (1 + count * between))


def predictive_densities(basis: Basis, counts: Counts, sums: Floats) -> tuple[Floats, Floats]:
    """Return weighted_mean (L, k) and constant (L,) = sum(mean² / variance + log variance) of the predictive densities
    in the basis. counts: (L,) samples of each label. sums: (L, k).
    """
    weighted_mean, constant = np.empty(sums.shape), np.empty(len(sums))
    for start in range(0, len(sums), _BLOCK):
        block = slice(start, start + _BLOCK)
        # Labels with equally many samples share their variances, and there are few numbers of samples.
        numbers, rows = find_distinct(counts[block])
        variance = predictive_variance(basis.between, numbers[:, None])
        mean = (sums[block] @ basis.matrix) * (variance - 1)[rows]
        np.divide(mean, variance[rows], out=weighted_mean[block])
        constant[block] = np.einsum("ij,ij->i", mean, weighted_mean[block]) + np.log(variance).sum(axis=1)[rows]
    return weighted_mean, constant
