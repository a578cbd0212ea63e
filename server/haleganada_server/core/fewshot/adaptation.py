"""Adapting the head's covariances to a workspace's script: how handwriting varies in it, and how its characters differ.

The covariances that came with the weights are those of the scripts that the embedder learned from. Another script
varies in other directions: where one has loops, the next one has hooks. Both covariances are therefore estimated
again from what was taught, with the old ones as priors that weigh as much as so many samples and labels:

- within labels: the posterior mean under an inverse Wishart prior (Gelman et al., "Bayesian Data Analysis", 3.6);
- between labels: one step of expectation maximization for the two-covariance model (Brümmer and de Villiers 2010),
  starting from the prior, which also counts as so many labels more.

Labels with one sample say nothing about the former, few labels hardly anything about the latter, so a young workspace
keeps the prior. Counts, sums and second moments are all that is needed, and they are exact sums over the samples: the
result depends only on what is taught now, not on what was taught and forgotten before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

PRIOR_SAMPLES = 500.0
"""Weight of the prior within labels, in samples beyond the first of each label."""
PRIOR_LABELS = 600.0
"""Weight of the prior between labels, in labels. Both weights were chosen on the 224 characters of the held-out
alphabets, where anything from half to twice as much did as well.
"""
_MIN_VARIANCE = 1e-4  # of label means, in a direction without information
_NEIGHBORS = 5
_MAX_QUERIES = 256  # labels whose nearest neighbors are found: enough for a mean, however many labels there are


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Coordinates in which both covariances are diagonal. matrix: (k, k), from projected vectors v to v @ matrix, with
    unit variances within labels. between: (k,), variances of label means there, > 0. separation: mean squared distance
    from a label's mean to its nearest five, > 0: how easily labels are told apart in this workspace.
    """

    matrix: Floats
    between: Floats
    separation: float

    @classmethod
    def prior(cls, between: Floats) -> Basis:
        """Return the projection's own coordinates, with the separation expected between any two labels."""
        return cls(_identity(len(between)), between, float(2 * between.sum()))


@cache
def _identity(k: int) -> Floats:
    """Return the one identity that all heads share which have not adapted; half a megabyte at k = 256."""
    matrix = np.eye(k)
    matrix.flags.writeable = False
    return matrix


def adapt_basis(prior: Floats, counts: Counts, sums: Floats, moment: Floats) -> Basis:
    """Return the basis adapted to the samples. prior: (k,) variances of label means from the weights. counts: (L,)
    samples and sums: (L, k) of projected vectors of each label, L >= 1. moment: (k, k), the sum of v v^T over all
    samples.
    """
    within = _estimate_within(counts, sums, moment)
    between = _estimate_between(prior, within, counts, sums)
    # v -> v L with L L^T = within^-1 makes the within-covariance the identity; then only a rotation is left.
    whiten = np.linalg.cholesky(np.linalg.inv(within))
    variances, rotation = np.linalg.eigh(whiten.T @ between @ whiten)
    matrix, variances = whiten @ rotation, np.maximum(variances, _MIN_VARIANCE)
    gain = variances / (1 / counts[:, None] + variances)
    means = (sums / counts[:, None]) @ matrix * gain
    return Basis(matrix, variances, measure_separation(means, variances, counts))


def _estimate_within(counts: Counts, sums: Floats, moment: Floats) -> Floats:
    """Return the covariance of samples around their label's mean, (k, k)."""
    scatter = moment - (sums / counts[:, None]).T @ sums
    degrees = float(counts.sum() - len(counts))
    return np.asarray((scatter + PRIOR_SAMPLES * np.eye(len(moment))) / (degrees + PRIOR_SAMPLES))


def _estimate_between(prior: Floats, within: Floats, counts: Counts, sums: Floats) -> Floats:
    """Return the covariance of label means, (k, k)."""
    typical_count = 1 / np.mean(1 / counts)
    # Posterior of a label's true mean: `gain` times the mean of its samples, with covariance `spread`.
    gain = np.linalg.solve(np.diag(prior) + within / typical_count, np.diag(prior))
    spread = np.diag(prior) - prior[:, None] * gain
    means = (sums / counts[:, None]) @ gain
    labels = len(counts)
    total = means.T @ means + labels * (spread + spread.T) / 2 + PRIOR_LABELS * np.diag(prior)
    return np.asarray(total / (labels + PRIOR_LABELS))


def measure_separation(means: Floats, between: Floats, counts: Counts) -> float:
    """Return the separation, see Basis. means: (L, k), the posterior means of the labels in the basis, between: see
    Basis, counts: (L,) samples. Of many labels some are taken, by position, so that their order does not matter.
    """
    if len(means) == 1:
        return float(2 * (between * between / (1 / counts[0] + between)).sum())
    chosen = np.argsort(means[:, 0])[:: -(-len(means) // _MAX_QUERIES)]
    squares = (means * means).sum(1)
    distances = squares[chosen, None] + squares - 2 * means[chosen] @ means.T
    distances[np.arange(len(chosen)), chosen] = np.inf
    neighbors = min(_NEIGHBORS, len(means) - 1)
    nearest = np.partition(distances, neighbors - 1, axis=1)[:, :neighbors]
    return max(float(nearest.mean()), _MIN_VARIANCE)  # 0 if the same drawing was taught as every label
