"""The second moment of a head's samples: a matrix, and the last samples beside it, which are added to it many at a
time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .adaptation import Floats

_SHARE = 4
"""Vectors are kept as long as there are at most k / 4; they take at most an eighth of the matrix's memory then."""
_MOST_ADDED = 1024
"""Vectors that a draft collects before it adds them up."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The sum of sign * v v^T over samples that were taught (+1) or forgotten (-1). Immutable.

    vectors: (n, k) float32 and signs: (n,), of the last few samples. matrix: (k, k), the sum over all others, None = 0.
    Projected vectors are multiples of 2^-12, of which float32 holds those below 4,096 exactly, and their products are
    exact in float64, so that the sum is the same to the last bit wherever a sample is kept.
    """

    vectors: NDArray[np.float32]
    signs: NDArray[np.int8]
    matrix: Floats | None = None

    @classmethod
    def empty(cls, k: int, matrix: Floats | None = None) -> Moment:
        """Return the moment of no samples beside a matrix."""
        return cls(np.zeros((0, k), np.float32), np.zeros(0, np.int8), matrix)

    @property
    def nbytes(self) -> int:
        """The bytes of memory that it takes."""
        return self.vectors.nbytes + (0 if self.matrix is None else self.matrix.nbytes)

    def to_matrix(self) -> Floats:
        """Return the sum, (k, k); not to be changed."""
        if self.matrix is not None and not len(self.vectors):
            return self.matrix
        total = _add_up(self.vectors.astype(np.float64), self.signs)
        return total if self.matrix is None else self.matrix + total

    def add(self, vectors: Floats, signs: NDArray[np.int8]) -> Moment:
        """Return this moment with more samples, (n, k) and (n,)."""
        k = self.vectors.shape[1]
        short = vectors.astype(np.float32)
        if len(self.vectors) + len(short) <= k // _SHARE and (short == vectors).all():
            return Moment(np.concatenate([self.vectors, short]), np.concatenate([self.signs, signs]), self.matrix)
        return Moment.empty(k, self.to_matrix() + _add_up(vectors, signs))


class MomentDraft:
    """A moment that is being changed."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._added: list[tuple[Floats, int]] = []
        self._count = 0

    def add(self, vectors: Floats, sign: int = 1) -> None:
        """Add samples, (n, k), which must not change any more; with sign -1 take them away. It takes no time: many
        samples at once cost much less than one by one.
        """
        self._added.append((vectors, sign))
        self._count += len(vectors)
        if self._count >= _MOST_ADDED:
            self.freeze()

    def freeze(self) -> Moment:
        """Return the moment as it is now."""
        if self._added:
            signs = [np.full(len(vectors), sign, np.int8) for vectors, sign in self._added]
            vectors = np.concatenate([vectors for vectors, _ in self._added])
            self._moment = self._moment.add(vectors, np.concatenate(signs))
            self._added, self._count = [], 0
        return self._moment


def _add_up(vectors: Floats, signs: NDArray[np.int8]) -> Floats:
    """Return the sum of sign * v v^T, (k, k), over vectors (n, k) and signs (n,)."""
    signed = vectors if (signs > 0).all() else vectors * signs[:, None]
    return np.asarray(signed.T @ vectors)
