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

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .adaptation import Basis, Floats, adapt_basis
from .confidence import CalibrationContext

_GRID = 2.0**12


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
        return np.asarray(np.round(vector * _GRID) / _GRID)

    def project(self, embeddings: NDArray[np.float32]) -> Floats:
        """(n, d) embeddings -> (n, k) vectors.

        One row at a time: a matrix product may round differently for another number of rows, and a sample's vector
        must not depend on what it was taught together with.
        """
        vectors = np.empty((len(embeddings), len(self.between)))
        for row, embedding in zip(vectors, embeddings, strict=True):
            row[:] = self.project_one(embedding)
        return vectors


@dataclass(slots=True, eq=False)
class _Lazy:
    """What a head computes on first use. is_adapted: the head is adapted itself, so there is nothing to compute.

    precisions: (counts, k), one row for each number of samples that a label has and one for 0 samples, “unknown”; and
    the row of each label, that of “unknown” last.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_adapted: bool = False
    adapted: Head | None = None
    precisions: tuple[Floats, NDArray[np.intp]] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Head:
    """The taught labels of a workspace at one revision. Immutable; safe from any thread.

    prior: (k,), variances of label means from the weights. labels: L labels in the order in which they were first
    taught. index: label -> row. counts: (L,) samples of each. sums: (L, k) of projected embeddings. moment: (k, k), the
    sum of v v^T over all samples. Derived, for fast scores in the basis: weighted_mean: (L, k), the mean of a label's
    predictive density over its variance; constant: (L,).
    """

    prior: Floats
    labels: tuple[str, ...]
    index: Mapping[str, int]
    counts: NDArray[np.int64]
    sums: Floats
    moment: Floats
    basis: Basis
    weighted_mean: Floats
    constant: Floats
    _lazy: _Lazy = field(default_factory=_Lazy)

    @classmethod
    def empty(cls, prior: Floats) -> Head:
        """Return a head without labels."""
        return cls.fit(prior, (), np.zeros((0, len(prior))))

    @classmethod
    def fit(cls, prior: Floats, labels: Sequence[str], vectors: Floats) -> Head:
        """Return the head, not adapted, of samples with labels[i] and vectors[i]; vectors: (n, k) projected embeddings.
        Their order only decides ties.
        """
        names = tuple(dict.fromkeys(labels))
        index = {label: i for i, label in enumerate(names)}
        rows = np.array([index[label] for label in labels], dtype=np.intp)
        counts = np.bincount(rows, minlength=len(names)).astype(np.int64)
        sums = np.zeros((len(names), len(prior)))
        np.add.at(sums, rows, vectors)
        basis = Basis.prior(prior)
        weighted_mean, constant = _predictive_densities(basis, counts, sums)
        return cls(
            prior=prior,
            labels=names,
            index=MappingProxyType(index),
            counts=counts,
            sums=sums,
            moment=vectors.T @ vectors,
            basis=basis,
            weighted_mean=weighted_mean,
            constant=constant,
        )

    def adapt(self) -> Head:
        """Return this head with covariances adapted to its samples. Computed on the first call, about 15 ms; other
        callers wait for it.
        """
        if self._lazy.is_adapted or not self.labels:
            return self
        with self._lazy.lock:
            if self._lazy.adapted is None:
                self._lazy.adapted = self._with_basis(adapt_basis(self.prior, self.counts, self.sums, self.moment))
            return self._lazy.adapted

    def _with_basis(self, basis: Basis) -> Head:
        weighted_mean, constant = _predictive_densities(basis, self.counts, self.sums)
        lazy = _Lazy(is_adapted=True)
        return replace(self, basis=basis, weighted_mean=weighted_mean, constant=constant, _lazy=lazy)

    def count(self, label: str) -> int:
        """Return the number of samples of a label."""
        return int(self.counts[self.index[label]]) if label in self.index else 0

    def calibration_context(self) -> CalibrationContext:
        """Return what the probabilities depend on besides the scores. The head must have a label."""
        return CalibrationContext(float(self.counts.mean()), len(self.labels), self.basis.separation)

    def scores(self, vector: Floats) -> Floats:
        """(k,) -> (L + 1,) log-likelihoods without the constant -k/2 log 2π, the last one of “unknown”."""
        vector = vector @ self.basis.matrix
        precisions, rows = self._precisions()
        scores = -0.5 * (precisions @ (vector * vector))[rows]
        scores[:-1] += self.weighted_mean @ vector - 0.5 * self.constant
        scores[-1] -= 0.5 * float(np.log1p(self.basis.between).sum())
        return np.asarray(scores)

    def _precisions(self) -> tuple[Floats, NDArray[np.intp]]:
        """See _Lazy. Labels with equally many samples share their variances, so few quadratic forms are needed."""
        if self._lazy.precisions is None:
            counts, rows = np.unique(np.append(self.counts, 0), return_inverse=True)
            self._lazy.precisions = 1 / _predictive_variance(self.basis.between, counts[:, None]), rows
        return self._lazy.precisions

    def scores_without(self, label: str, vector: Floats) -> Floats:
        """Return scores(vector) of the head without `vector` as a sample of `label`, which must have others. The
        covariances stay: one sample hardly counts in them.
        """
        row = self.index[label]
        one = slice(row, row + 1)
        counts, sums = self.counts[one] - 1, self.sums[one] - vector
        weighted_mean, constant = _predictive_densities(self.basis, counts, sums)
        rest = replace(
            self, labels=(label,), counts=counts, sums=sums, weighted_mean=weighted_mean, constant=constant,
            _lazy=_Lazy(),
        )  # fmt: skip
        scores = self.scores(vector)
        scores[row] = rest.scores(vector)[0]
        return scores

    def draft(self) -> HeadDraft:
        """Return a copy for one writer to change, in the adapted basis if that was computed already."""
        return HeadDraft(self._lazy.adapted or self)


class HeadDraft:
    """A head that is being changed: one copy for a group of changes, then freeze()."""

    def __init__(self, head: Head) -> None:
        self._prior, self._basis, self._moment = head.prior, head.basis, head.moment.copy()
        self._labels = list(head.labels)
        self._index = dict(head.index)
        self._counts, self._sums = head.counts.copy(), head.sums.copy()
        self._weighted_mean, self._constant = head.weighted_mean.copy(), head.constant.copy()

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self._labels)

    def __contains__(self, label: object) -> bool:
        """Return whether a label has samples."""
        return label in self._index

    def teach(self, label: str, vector: Floats) -> None:
        """Add a sample. vector: (k,)."""
        if label not in self._index:
            self._append(label)
        self._add(self._index[label], vector, +1)

    def forget(self, label: str, vector: Floats) -> None:
        """Remove a sample, and a label without samples. Raises KeyError for an unknown label."""
        row = self._index[label]
        self._add(row, vector, -1)
        if self._counts[row] == 0:
            self._remove(row)

    def freeze(self) -> Head:
        """Return the head as it is now. It shares memory with the draft: keep it only when the draft is changed no
        more.

        Until it adapts, it uses the covariances of the head that the draft started from.
        """
        size = len(self._labels)
        return Head(
            prior=self._prior,
            labels=tuple(self._labels),
            index=MappingProxyType(self._index),
            counts=self._counts[:size],
            sums=self._sums[:size],
            moment=self._moment,
            basis=self._basis,
            weighted_mean=self._weighted_mean[:size],
            constant=self._constant[:size],
        )

    def _add(self, row: int, vector: Floats, sign: int) -> None:
        self._counts[row] += sign
        self._sums[row] += sign * vector
        self._moment += sign * np.outer(vector, vector)
        one = slice(row, row + 1)
        self._weighted_mean[one], self._constant[one] = _predictive_densities(
            self._basis, self._counts[one], self._sums[one]
        )

    def _append(self, label: str) -> None:
        row = len(self._labels)
        if row == len(self._counts):
            self._resize(lambda array: _extend(array, row + row // 2 + 8))  # many new labels cost few copies
        self._labels.append(label)
        self._index[label] = row

    def _remove(self, row: int) -> None:
        self._resize(lambda array: np.delete(array, row, axis=0))
        del self._labels[row]
        self._index = {label: i for i, label in enumerate(self._labels)}

    def _resize(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        self._counts, self._sums = change(self._counts), change(self._sums)
        self._weighted_mean, self._constant = change(self._weighted_mean), change(self._constant)


def _predictive_variance(between: Floats, count: int | NDArray[np.int64]) -> Floats:
    """Return the variances of the predictive density after `count` samples: (k,), or (L, k) for count (L, 1)."""
    return np.asarray(1 + between / (1 + count * between))


def _predictive_densities(basis: Basis, counts: NDArray[np.int64], sums: Floats) -> tuple[Floats, Floats]:
    """Return weighted_mean (L, k) and constant (L,) = sum(mean² / variance + log variance) of the predictive densities
    in the basis.
    """
    variance = _predictive_variance(basis.between, counts[:, None])
    mean = (sums @ basis.matrix) * (variance - 1)
    weighted_mean = mean / variance
    return weighted_mean, (mean * weighted_mean + np.log(variance)).sum(axis=1)


def _extend(array: NDArray[Any], length: int) -> NDArray[Any]:
    grown = np.zeros((length, *array.shape[1:]), dtype=array.dtype)
    grown[: len(array)] = array
    return grown
