"""Fitting a head to many samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from .adaptation import Basis, Floats
from .densities import predictive_densities
from .head import Head, Lineage
from .moment import Moment, MomentDraft
from .rows import Rows


class HeadBuilder:
    """Fits a head to samples that arrive in blocks, so that no more than one block has to be in memory."""

    def __init__(self, prior: Floats) -> None:
        """prior: (k,), see Head."""
        self._prior = prior
        self._index: dict[str, int] = {}
        self._counts = np.zeros(0, dtype=np.int64)
        self._sums = np.zeros((0, len(prior)))
        self._moment = MomentDraft(Moment.empty(len(prior)))

    def add(self, labels: Sequence[str], vectors: Floats) -> None:
        """Add samples with labels[i] and vectors[i]; vectors: (n, k) projected embeddings."""
        if not labels:
            return
        index = self._index
        rows = [index.setdefault(label, len(index)) for label in labels]
        if len(index) > len(self._counts):
            self._grow(len(index) + len(index) // 2)  # many new labels cost few copies
        self._counts += np.bincount(rows, minlength=len(self._counts))
        for row, vector in zip(rows, vectors, strict=True):
            self._sums[row] += vector
        self._moment.add(vectors)

    def finish(self, numbers: Mapping[str, int] | None = None) -> Head:
        """Return the head, not adapted. numbers: of all labels, in whose order the head has them; None = in
        that of their first samples.
        """
        labels = list(self._index) if numbers is None else sorted(self._index, key=numbers.__getitem__)
        order, basis = [self._index[label] for label in labels], Basis.prior(self._prior)
        counts, sums = self._counts[order], self._sums[order]
        weighted_mean, constant = predictive_densities(basis, counts, sums)
        return Head(
            prior=self._prior,
            labels=tuple(labels),
            index=MappingProxyType({label: row for row, label in enumerate(labels)}),
            counts=counts,
            sums=Rows.split(sums),
            moment=self._moment.freeze(),
            basis=basis,
            weighted_mean=Rows.split(weighted_mean),
            constant=constant,
            lineage=Lineage(object(), int(counts.sum()), 0),
        )

    def _grow(self, length: int) -> None:
        counts, sums = np.zeros(length, dtype=np.int64), np.zeros((length, len(self._prior)))
        counts[: len(self._counts)], sums[: len(self._sums)] = self._counts, self._sums
        self._counts, self._sums = counts, sums


def build_head(prior: Floats, labels: Sequence[str], vectors: Floats) -> Head:
    """Return the head, not adapted, of samples with labels[i] and vectors[i]; vectors: (n, k) projected embeddings.
    Their order only decides ties. prior: (k,), see Head.
    """
    builder = HeadBuilder(prior)
    builder.add(labels, vectors)
    return builder.finish()


def empty_head(prior: Floats) -> Head:
    """Return a head without labels."""
    return HeadBuilder(prior).finish()
