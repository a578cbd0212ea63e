"""The second moment of a head's samples, which takes little memory while there are few of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .adaptation import Floats

_SHARE = 4
"""Vectors are kept as long as there are at most k / 4; they take at most an eighth of the matrix's memory then."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The sum of sign * v v^T over samples that were taught (+1) or forgotten (-1). Immutable.

    Either matrix: (k, k), or, of a few samples, vectors: (n, k) float32 and signs: (n,). Projected vectors are
    multiples of 2^-12, of which float32 holds those below 4,096 exactly, so that both forms give the same sum.
    """

    vectors: NDArray[np.float32]
    signs: NDArray[np.int8]
    matrix: Floats | None = None

    @classmethod
    def empty(cls, k: int) -> Moment:
        """Return the moment of no samples."""
        return cls(np.zeros((0, k), np.float32), np.zeros(0, np.int8))

    @property
    def nbytes(self) -> int:
        """The bytes of memory that it takes."""
        return self.vectors.nbytes if self.matrix is None else self.matrix.nbytes

    def to_matrix(self) -> Floats:
        """Return the sum, (k, k); not to be changed."""
        if self.matrix is not None:
            return self.matrix
        vectors = self.vectors.astype(np.float64)
        return np.asarray((vectors * self.signs[:, None]).T @ vectors)


class MomentDraft:
    """A moment that is being changed."""

    def __init__(self, moment: Moment) -> None:
        self._few = moment
        self._matrix = None if moment.matrix is None else moment.matrix.copy()

    def add(self, vectors: Floats, sign: int = 1) -> None:
        """Add samples, (n, k); with sign -1 take them away."""
        if self._matrix is None and not self._has_room(vectors):
            self._matrix = self._few.to_matrix()
        if self._matrix is not None:
            self._matrix += vectors.T @ vectors if sign > 0 else -(vectors.T @ vectors)
            return
        signs = np.full(len(vectors), sign, np.int8)
        self._few = Moment(
            np.concatenate([self._few.vectors, vectors.astype(np.float32)]), np.concatenate([self._few.signs, signs])
        )

    def freeze(self) -> Moment:
        """Return the moment as it is now. It shares memory with the draft: keep it only when the draft is changed no
        more.
        """
        if self._matrix is None:
            return self._few
        return Moment(self._few.vectors[:0], self._few.signs[:0], self._matrix)

    def _has_room(self, vectors: Floats) -> bool:
        count, k = self._few.vectors.shape
        return count + len(vectors) <= k // _SHARE and bool((vectors.astype(np.float32) == vectors).all())
