"""The few-shot head: probabilistic LDA with additive statistics.

The two-covariance model of speaker verification (Ioffe, "Probabilistic Linear Discriminant Analysis", ECCV 2006;
Brümmer and de Villiers, "The speaker partitioning problem", Odyssey 2010). An embedding is its label's mean plus
within-class noise; means are Gaussian too. One projection, fitted in pre-training, makes the within-class covariance
the identity and the between-class one diagonal with variances b, so that in the projected space everything is
elementwise. With n samples of a label whose projected embeddings sum to s, a new vector v has the posterior
predictive density

    v | label   ~ N(b s / (1 + n b), 1 + b / (1 + n b))         v | unknown ~ N(0, 1 + b)

A label is therefore a count and a sum: teaching adds, forgetting subtracts, no order matters, and shards merge by
addition. So does the second moment of all samples, from which a head adapts both covariances to its own script (see
adaptation.py).

Projected vectors are rounded to multiples of 2^-12, a four-thousandth of the within-class deviation. Sums of such
numbers and of their products are exact in float64 up to 2^29, so addition is associative to the last bit: teaching and
forgetting a sample leaves not nearly but exactly the head that never saw it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .adaptation import PRIOR_SAMPLES, Basis, Floats, adapt_basis, measure_separation
from .confidence import Calibration, CalibrationContext, SettledCalibration
from .densities import find_distinct, predictive_densities, predictive_variance
from .moment import Moment
from .rows import Rows

_FEW_LABELS = 64  # whose separation takes less than a millisecond to measure


class Lineage(NamedTuple):
    """Where a head comes from. origin: equal in all heads that follow from one another by changes. version: how many
    samples were taught or forgotten so far. adapted: the version whose samples shaped the basis; 0 = the prior's.
    """

    origin: object
    version: int
    adapted: int


class _Densities(NamedTuple):
    """What the scores of all vectors have in common. Labels with equally many samples share their variances, so few
    quadratic forms are needed.

    quadratic: (counts, k), minus half of the precisions; one row for each number of samples that a label has and one
    for 0 samples, “unknown”. rows: (L + 1,), the row of each label, that of “unknown” last. constant: (L,), half of the
    head's. unknown: half of the logarithms of the variances of “unknown”.
    """

    quadratic: Floats
    rows: NDArray[np.intp]
    constant: Floats
    unknown: float


@dataclass(slots=True, eq=False)
class _Lazy:
    """What a head computes on first use.

    densities: see _Densities. separation: of the labels, where it is not that of the basis. settled: a calibration, and
    what it comes to for this head.
    """

    densities: _Densities | None = None
    separation: float | None = None
    settled: tuple[Calibration, SettledCalibration] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Head:
    """The taught labels of a workspace at one revision. Immutable; safe from any thread.

    prior: (k,), variances of label means from the weights. labels: L labels in the order in which they first appeared
    in the log, so that equal logs give equal heads, to the last bit. index: label -> row. counts: (L,) samples of each.
    sums: (L, k) of projected embeddings. moment: the sum of v v^T over all samples. basis: of these samples, or of
    those of an earlier head. Derived, for fast scores in the basis: weighted_mean: (L, k), the mean of a label's
    predictive density over its variance; constant: (L,).
    """

    prior: Floats
    labels: tuple[str, ...]
    index: Mapping[str, int]
    counts: NDArray[np.int64]
    sums: Rows
    moment: Moment
    basis: Basis
    weighted_mean: Rows
    constant: Floats
    lineage: Lineage
    _lazy: _Lazy = field(default_factory=_Lazy)

    @property
    def is_adapted(self) -> bool:
        """Whether the basis is that of exactly these samples, so that scores do not depend on when it was computed."""
        return self.lineage.adapted == self.lineage.version or not self.labels

    @property
    def drift(self) -> float:
        """How much of what shapes a basis has changed since this one was computed, 0 or more: the changes over the
        samples and the weight of the prior.
        """
        changes = self.lineage.version - self.lineage.adapted
        return float(changes / (self.counts.sum() + PRIOR_SAMPLES)) if changes else 0.0

    @property
    def nbytes(self) -> int:
        """The bytes of memory that the numbers take; the prior's basis, which all heads share, is not counted."""
        basis = self.basis.matrix.nbytes if self.lineage.adapted else 0
        return 2 * 8 * len(self.labels) * len(self.prior) + self.moment.nbytes + basis

    def adapt(self) -> Head:
        """Return this head with covariances adapted to its samples: 20 ms for a few labels, 0.3 s for 10,000."""
        if self.is_adapted:
            return self
        sums = self.sums.join(len(self.prior))
        basis = adapt_basis(self.prior, self.counts, sums, self.moment.to_matrix())
        weighted_mean, constant = predictive_densities(basis, self.counts, sums)
        return self._with_basis(basis, Rows.split(weighted_mean), constant, self.lineage.version)

    def adopt(self, adapted: Head) -> Head:
        """Return this head in the basis of an adapted one that it follows from by changes, and that is newer than its
        own basis; itself if there is no such thing. It costs as much as the labels that have changed since then.
        """
        if self.lineage.origin is not adapted.lineage.origin or self.lineage.adapted >= adapted.lineage.adapted:
            return self
        blocks: list[Floats] = []
        constant = np.empty(len(self.counts))
        for start, sums in self.sums.enumerate_blocks():
            rows = slice(start, start + len(sums))
            number = len(blocks)
            if number < len(adapted.sums.blocks) and adapted.sums.blocks[number] is sums:  # these labels are unchanged
                blocks.append(adapted.weighted_mean.blocks[number])
                constant[rows] = adapted.constant[rows]
            else:
                block, constant[rows] = predictive_densities(adapted.basis, self.counts[rows], sums)
                blocks.append(block)
        return self._with_basis(adapted.basis, Rows(tuple(blocks)), constant, adapted.lineage.adapted)

    def _with_basis(self, basis: Basis, weighted_mean: Rows, constant: Floats, adapted: int) -> Head:
        return replace(
            self, basis=basis, weighted_mean=weighted_mean, constant=constant,
            lineage=self.lineage._replace(adapted=adapted), _lazy=_Lazy(),
        )  # fmt: skip

    def count(self, label: str) -> int:
        """Return the number of samples of a label."""
        return int(self.counts[self.index[label]]) if label in self.index else 0

    def calibration_context(self) -> CalibrationContext:
        """Return what the probabilities depend on besides the scores. The head must have a label."""
        return CalibrationContext(float(self.counts.mean()), len(self.labels), self._find_separation())

    def _find_separation(self) -> float:
        """Return the separation of these labels. Among few labels a new one changes it much, and it is soon measured;
        of many, that of the basis will do.
        """
        if self.is_adapted or len(self.labels) > _FEW_LABELS:
            return self.basis.separation
        if self._lazy.separation is None:
            variance = predictive_variance(self.basis.between, self.counts[:, None])
            means = self.weighted_mean.join(len(self.prior)) * variance
            self._lazy.separation = measure_separation(means, self.basis.between, self.counts)
        return self._lazy.separation

    def settle(self, calibration: Calibration) -> SettledCalibration:
        """Return what a calibration comes to for these labels. The head must have a label."""
        known = self._lazy.settled
        if known is None or known[0] is not calibration:
            known = self._lazy.settled = calibration, calibration.settle(self.calibration_context())
        return known[1]

    def scores(self, vector: Floats) -> Floats:
        """(k,) -> (L + 1,) log-likelihoods without the constant -k/2 log 2π, the last one of “unknown”."""
        vector = vector @ self.basis.matrix
        quadratic, rows, constant, unknown = self._find_densities()
        scores = (quadratic @ (vector * vector))[rows]
        scores[:-1] += self.weighted_mean.dot(vector) - constant
        scores[-1] -= unknown
        return np.asarray(scores)

    def score_many(self, vectors: Floats) -> Floats:
        """(n, k) -> (n, L + 1) log-likelihoods, as scores gives them for each vector."""
        vectors = vectors @ self.basis.matrix
        quadratic, rows, constant, unknown = self._find_densities()
        scores = np.asarray(((vectors * vectors) @ quadratic.T)[:, rows])
        for start, block in self.weighted_mean.enumerate_blocks():
            scores[:, start : start + len(block)] += vectors @ block.T
        scores[:, :-1] -= constant
        scores[:, -1] -= unknown
        return scores

    def _find_densities(self) -> _Densities:
        if self._lazy.densities is None:
            counts, rows = find_distinct(np.append(self.counts, 0))
            quadratic = -0.5 / predictive_variance(self.basis.between, counts[:, None])
            unknown = 0.5 * float(np.log1p(self.basis.between).sum())
            self._lazy.densities = _Densities(quadratic, rows, 0.5 * self.constant, unknown)
        return self._lazy.densities

    def score_without(self, labels: Sequence[str], vectors: Floats) -> Floats:
        """Return the log-likelihood that each vector (n, k) would have under its label if it was not a sample of it,
        (n,). Each label must have other samples too. The covariances stay: one sample hardly counts in them.
        """
        rows = [self.index[label] for label in labels]
        counts = self.counts[rows] - 1
        sums = np.array([self.sums[row] for row in rows]) - vectors
        weighted_mean, constant = predictive_densities(self.basis, counts, sums)
        vectors = vectors @ self.basis.matrix
        precision = 1 / predictive_variance(self.basis.between, counts[:, None])
        return np.asarray(((weighted_mean - 0.5 * vectors * precision) * vectors).sum(axis=1) - 0.5 * constant)
