"""What a workspace's own samples say about its script: how hands vary in it, and how its characters differ.

The covariances that came with the weights are those of the scripts that the embedder learned from. Another script
varies in other directions: where one has loops, the next one has hooks. Both covariances are therefore estimated
again from what was taught, with the old ones as priors that weigh as much as so many samples and labels:

- within a label: the posterior mean under an inverse Wishart prior (Gelman et al., "Bayesian Data Analysis", 3.6);
- between labels: one step of expectation maximization for the two-covariance model (Brümmer and de Villiers 2010)
  from the prior, smoothed by it as by so many labels more.

Labels with one sample say nothing about the former, few labels hardly anything about the latter, so a young workspace
keeps the prior. All that is needed is counts, sums and second moments, which are exact sums over the samples: the
result is a function of what is taught now, whatever was taught and forgotten on the way.
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
alphabets, where anything from half to twice of them did as well.
"""
_LEAST = 1e-4  # variance of label means in a direction that tells nothing
_NEIGHBORS = 5
_ASKED = 256  # labels whose neighbors are looked for: enough for a mean, however many there are


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Coordinates in which both covariances are diagonal. matrix: (k, k), from projected vectors v to v @ matrix, with
    unit variances within labels. between: (k,), variances of label means there, > 0. room: mean squared distance
    from a label's mean to those of its nearest others, > 0: how easily labels are told apart in this workspace.
    """

    matrix: Floats
    between: Floats
    room: float

    @classmethod
    def prior(cls, between: Floats) -> Basis:
        """The projection's own coordinates, with as much room as between any two labels."""
        return cls(_identity(len(between)), between, float(2 * between.sum()))


@cache
def _identity(k: int) -> Floats:
    """One for all young heads: half a megabyte at k = 256."""
    matrix = np.eye(k)
    matrix.flags.writeable = False
    return matrix


def adapted_basis(prior: Floats, counts: Counts, sums: Floats, moment: Floats) -> Basis:
    """The basis for what is taught. prior: (k,) between-variances of the weights; counts: (L,) samples and sums: (L, k)
    of projected vectors of each label, L >= 1; moment: (k, k), the sum of v v^T over all samples.
    """
    within = _within(counts, sums, moment)
    between = _between(prior, within, counts, sums)
    # v -> v L with L L^T = within^-1 makes the within-covariance the identity; then only turning is left.
    whiten = np.linalg.cholesky(np.linalg.inv(within))
    variances, turn = np.linalg.eigh(whiten.T @ between @ whiten)
    matrix, variances = whiten @ turn, np.maximum(variances, _LEAST)
    return Basis(matrix, variances, _room(matrix, variances, counts, sums))


def _within(counts: Counts, sums: Floats, moment: Floats) -> Floats:
    """Covariance of samples around their label's mean, (k, k)."""
    scatter = moment - (sums / counts[:, None]).T @ sums
    degrees = float(counts.sum() - len(counts))
    return np.asarray((scatter + PRIOR_SAMPLES * np.eye(len(moment))) / (degrees + PRIOR_SAMPLES))


def _between(prior: Floats, within: Floats, counts: Counts, sums: Floats) -> Floats:
    """Covariance of label means, (k, k)."""
    typical_count = 1 / np.mean(1 / counts)
    # Posterior of a label's true mean: `gain` times the mean of its samples, give or take `doubt`.
    gain = np.linalg.solve(np.diag(prior) + within / typical_count, np.diag(prior))
    doubt = np.diag(prior) - prior[:, None] * gain
    means = (sums / counts[:, None]) @ gain
    labels = len(counts)
    total = means.T @ means + labels * (doubt + doubt.T) / 2 + PRIOR_LABELS * np.diag(prior)
    return np.asarray(total / (labels + PRIOR_LABELS))


def _room(matrix: Floats, between: Floats, counts: Counts, sums: Floats) -> float:
    """See Basis. Of many labels some are asked, chosen by where they lie, so that their order does not matter."""
    gain = between / (1 / counts[:, None] + between)
    means = (sums / counts[:, None]) @ matrix * gain
    if len(means) == 1:
        return float(2 * (between * gain).sum())
    asked = np.argsort(means[:, 0])[:: -(-len(means) // _ASKED)]
    squares = (means * means).sum(1)
    distances = squares[asked, None] + squares - 2 * means[asked] @ means.T
    distances[np.arange(len(asked)), asked] = np.inf
    neighbors = min(_NEIGHBORS, len(means) - 1)
    nearest = np.partition(distances, neighbors - 1, axis=1)[:, :neighbors]
    return max(float(nearest.mean()), _LEAST)  # the same drawing taught as each of the labels leaves none
