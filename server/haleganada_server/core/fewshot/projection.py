"""The projection from embeddings to the head's coordinates, rounded so that sums of projected vectors are exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_GRID = 2.0**12
_BLOCK = 256  # rows projected at once: enough for a fast product, and few enough for the cache of a processor
_UNIT_ROUNDOFF = 2.0**-53


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The projection that pre-training fitted. mean: (d,). matrix: (d, k). between: (k,), variances of label means, >
    0.
    """

    mean: Floats
    matrix: Floats
    between: Floats

    def project_one(self, embedding: NDArray[np.float32]) -> Floats:
        """A (d,) embedding -> a (k,) vector with unit within-class variance, on the grid of 2^-12."""
        vector = (embedding.astype(np.float64) - self.mean) @ self.matrix
        vector *= _GRID
        np.rint(vector, out=vector)
        vector /= _GRID
        return np.asarray(vector)

    def project_all(self, embeddings: Sequence[NDArray[np.float32]]) -> Floats:
        """n embeddings (d,) -> (n, k) vectors, see project; n may be 0."""
        if len(embeddings) == 1:
            return self.project_one(embeddings[0])[None]
        return self.project(np.array(embeddings, np.float32).reshape(-1, len(self.mean)))

    def project(self, embeddings: NDArray[np.float32]) -> Floats:
        """(n, d) embeddings -> (n, k) vectors, equal to those of project_one to the last bit.

        A sample's vector must not depend on what it is projected together with, but a product of matrices may round
        otherwise than one with a vector. Rounding to the grid hides the difference, except in the few rows in which a
        number lies halfway between two points of the grid; those are projected one by one.
        """
        vectors = np.empty((len(embeddings), len(self.between)))
        for start in range(0, len(embeddings), _BLOCK):
            block = slice(start, start + _BLOCK)
            self._project_block(embeddings[block], vectors[block])
        return vectors

    def _project_block(self, embeddings: NDArray[np.float32], vectors: Floats) -> None:
        """Write the vectors of some embeddings."""
        centered = embeddings.astype(np.float64) - self.mean
        exact = (centered @ self.matrix) * _GRID
        np.rint(exact, out=vectors)
        # |fl(a b) - a b| <= d u |a| |b| for any order of the d additions (Higham, "Accuracy and Stability of Numerical
        # Algorithms", 3.5), so two orders differ by at most twice that; 1.1 covers the terms of higher order.
        error = 2.2 * len(self.mean) * _UNIT_ROUNDOFF * np.sqrt(np.einsum("ij,ij->i", centered, centered))
        error *= _GRID * np.linalg.norm(self.matrix, axis=0).max(initial=0.0)
        exact -= vectors
        farthest = np.maximum(exact.max(axis=1, initial=0.0), -exact.min(axis=1, initial=0.0))
        vectors /= _GRID
        for row in np.flatnonzero(~(farthest < 0.5 - error)).tolist():  # also what is not a number
            vectors[row] = self.project_one(embeddings[row])
