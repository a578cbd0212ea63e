"""Fit the head's covariances: one projection that makes the within-class covariance the identity.

Two-covariance PLDA (Ioffe 2006; Brümmer and de Villiers 2010): an embedding is its class's mean plus noise; means and
noise are Gaussian with one covariance each. Both are estimated on background drawings, shrunk toward a multiple of the
identity, and diagonalized jointly. The amount of shrinkage is chosen on held-out alphabets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from haleganada_server.core.fewshot.adaptation import Basis, Floats, adapt_basis


@dataclass(frozen=True)
class HeadFit:
    """Projection v = (z - mean) @ projection to coordinates with within-class variance 1."""

    mean: Floats
    """(d,)."""
    projection: Floats
    """(d, k)."""
    between: Floats
    """(k,), descending."""

    def project(self, z: NDArray[np.floating]) -> Floats:
        """Project embeddings (..., d) to vectors (..., k)."""
        return np.asarray((z.astype(np.float64) - self.mean) @ self.projection)

    def basis(self, taught: Floats, adapt: bool = True) -> Basis:
        """Return the basis to which the server's head adapts when it is taught projected vectors, (labels, shots, k).

        Without adapting it takes a fiftieth of the time.
        """
        if not adapt:
            return Basis.prior(self.between)
        labels, shots, k = taught.shape
        flat = taught.reshape(-1, k)
        return adapt_basis(self.between, np.full(labels, shots), taught.sum(1), flat.T @ flat)


@dataclass(frozen=True)
class Covariances:
    """Moments of a set of classes before shrinkage."""

    mean: Floats
    within: Floats
    between: Floats


@dataclass(frozen=True)
class Shrinkage:
    """Shares of the identity in both covariances, and a factor on the within-class one.

    Classes seen in training are tighter than new ones; a factor above 1 compensates.
    """

    within: float = 0.1
    between: float = 0.1
    widen: float = 1.0
    dims: int = 256


def estimate_covariances(groups: Sequence[NDArray[np.floating]]) -> Covariances:
    """Estimate covariances from groups of classes, each (classes, drawings, d), weighted by their numbers of classes.

    Each group (a script, a source) is centered separately: heads are taught one script at a time, and differences
    between scripts would only blur those between letters.
    """
    d = groups[0].shape[-1]
    within, between, n = np.zeros((d, d)), np.zeros((d, d)), 0
    total = np.zeros(d)
    for z in (g.astype(np.float64) for g in groups):
        classes, drawings, _ = z.shape
        residual = (z - z.mean(1, keepdims=True)).reshape(-1, d)
        means = z.mean(1) - z.mean((0, 1))
        own = residual.T @ residual / (classes * (drawings - 1))
        within += classes * own
        between += classes * (means.T @ means / (classes - 1) - own / drawings)
        total += classes * z.mean((0, 1))
        n += classes
    return Covariances(total / n, within / n, between / n)


def _shrink(matrix: Floats, share: float) -> Floats:
    """Shrink a covariance toward the multiple of the identity with the same trace."""
    return np.asarray((1 - share) * matrix + share * np.trace(matrix) / len(matrix) * np.eye(len(matrix)))


def fit_head(moments: Covariances, shrinkage: Shrinkage) -> HeadFit:
    """Diagonalize both covariances jointly and keep the `dims` directions that separate classes best."""
    within = _shrink(moments.within, max(shrinkage.within, 1e-4)) * shrinkage.widen
    between = _shrink(moments.between, shrinkage.between)
    values, vectors = scipy.linalg.eigh(between, within)
    order = np.argsort(values)[::-1][: shrinkage.dims]
    # Signs are arbitrary; fixing them keeps exports comparable.
    vectors = vectors[:, order] * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(len(values))])[order]
    return HeadFit(moments.mean, vectors, np.clip(values[order], 1e-3, None))


def head_scores(basis: Basis, queries: Floats, taught: Floats) -> Floats:
    """Return the scores (q, labels + 1) of queries (q, k) by a head that was taught (labels, shots, k).

    All vectors are projected. The last column is unknown. basis: HeadFit.basis(taught).
    """
    means = taught.mean(1) @ basis.matrix
    return log_likelihoods(queries @ basis.matrix, means, taught.shape[1], basis.between)


def log_likelihoods(queries: Floats, means: Floats, shots: int, between: Floats) -> Floats:
    """Return posterior predictive scores (q, labels + 1) without their common constant; the last column is unknown.

    queries: (q, k). means: (labels, k), each of `shots` drawings. Both are in coordinates in which both covariances are
    diagonal.
    """
    gain = shots * between / (1 + shots * between)
    variance, prior = 1 + between / (1 + shots * between), 1 + between
    centers = means * gain
    square = (queries**2 / variance).sum(1)[:, None] + (centers**2 / variance).sum(1)[None]
    known = -0.5 * (square - 2 * (queries / variance) @ centers.T + np.log(variance).sum())
    unknown = -0.5 * ((queries**2 / prior).sum(1) + np.log(prior).sum())
    return np.concatenate([known, unknown[:, None]], 1)
