"""What a workspace's own samples say about its script: how hands vary in it, and how its characters differ.

The covariances that came with the weights are those of the scripts that the embedder learned from. Another script
varies in other directions: where one has loops, the next one has hooks. Both covariances are therefore estimated
again from what was taught, with the old ones as priors that weigh as much as so many samples and labels:

- within a label: the posterior mean under an inverse Wishart prior (Gelman et al., "Bayesian Data Analysis", 3.6);
- between labels: one step of expectation maximisation for the two-covariance model (Brümmer and de Villiers 2010)
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


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Coordinates in which both covariances are diagonal. matrix: (k, k), from projected vectors v to v @ matrix, with
    unit variances within labels. between: (k,), variances of label means there, > 0.
    """

    matrix: Floats
    between: Floats

    @classmethod
    def prior(cls, between: Floats) -> Basis:
        """The projection's own coordinates."""
        return cls(_identity(len(between)), between)


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
    return Basis(whiten @ turn, np.maximum(variances, _LEAST))


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
