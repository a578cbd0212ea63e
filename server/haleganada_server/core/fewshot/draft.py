"""A head that is being changed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from .adaptation import Floats
from .densities import predictive_densities
from .head import Head, Lineage
from .moment import MomentDraft
from .rows import RowsDraft

_MOST_ADDED = 1024


class HeadDraft:
    """A copy of a head for one group of changes, then freeze(). It costs as much as the labels that change, and is in
    the basis of the head that it started from.
    """

    def __init__(self, head: Head) -> None:
        self._prior, self._basis, self._moment = head.prior, head.basis, MomentDraft(head.moment)
        self._labels, self._index = head.labels, head.index
        self._counts, self._constant = head.counts.copy(), head.constant.copy()
        self._sums, self._weighted_mean = RowsDraft(head.sums), RowsDraft(head.weighted_mean)
        self._lineage = head.lineage
        self._changes = 0
        self._added: list[tuple[int, Floats]] = []  # row and vector of samples that the sums lack

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self._labels)

    def __contains__(self, label: object) -> bool:
        """Return whether a label has samples."""
        return label in self._index

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of their rows."""
        return self._labels

    def teach(self, label: str, vector: Floats, row: int | None = None) -> None:
        """Add a sample. vector: (k,). row: of a new label; None = behind the others."""
        if label not in self._index:
            if row is None or row == len(self._labels):
                self._append(label)
            else:
                self._insert(row, label)
        self._added.append((self._index[label], vector))
        if len(self._added) == _MOST_ADDED:
            self._add_up()

    def forget(self, label: str, vector: Floats) -> None:
        """Remove a sample, and a label without samples. Raises KeyError for an unknown label."""
        self._add_up()
        row = self._index[label]
        self._add(row, vector, -1)
        if self._counts[row] == 0:
            self._remove(row)

    def freeze(self) -> Head:
        """Return the head as it is now. It shares memory with the draft: keep it only when the draft is changed no
        more.
        """
        self._add_up()
        origin, version, adapted = self._lineage
        return Head(
            prior=self._prior,
            labels=self._labels,
            index=self._index,
            counts=self._counts,
            sums=self._sums.freeze(),
            moment=self._moment.freeze(),
            basis=self._basis,
            weighted_mean=self._weighted_mean.freeze(),
            constant=self._constant,
            lineage=Lineage(origin, version + self._changes, adapted),
        )

    def _add_up(self) -> None:
        """Bring the sums up to date; many samples at once cost much less than one by one."""
        added, self._added = self._added, []
        if len(added) <= 1:
            for row, vector in added:
                self._add(row, vector, +1)
            return
        rows, vectors = np.array([row for row, _ in added]), np.stack([vector for _, vector in added])
        self._changes += len(added)
        self._moment.add(vectors)
        changed, positions = np.unique(rows, return_inverse=True)
        self._counts += np.bincount(rows, minlength=len(self._counts)).astype(self._counts.dtype)
        sums = np.zeros((len(changed), vectors.shape[1]))
        np.add.at(sums, positions, vectors)
        for position, row in enumerate(changed):
            self._sums.write(row)[:] += sums[position]
            sums[position] = self._sums.write(row)
        weighted_means, self._constant[changed] = predictive_densities(self._basis, self._counts[changed], sums)
        for row, weighted_mean in zip(changed, weighted_means, strict=True):
            self._weighted_mean.write(row)[:] = weighted_mean

    def _add(self, row: int, vector: Floats, sign: int) -> None:
        self._changes += 1
        self._counts[row] += sign
        sums = self._sums.write(row)
        sums += sign * vector
        self._moment.add(vector[None], sign)
        weighted_mean, self._constant[[row]] = predictive_densities(self._basis, self._counts[[row]], sums[None])
        self._weighted_mean.write(row)[:] = weighted_mean[0]

    def _append(self, label: str) -> None:
        self._renumber((*self._labels, label), {**self._index, label: len(self._labels)})
        self._counts, self._constant = np.append(self._counts, 0), np.append(self._constant, 0.0)
        nothing = np.zeros(len(self._prior))
        self._sums.append(nothing)
        self._weighted_mean.append(nothing)

    def _insert(self, row: int, label: str) -> None:
        self._add_up()  # by the rows as they are
        labels = (*self._labels[:row], label, *self._labels[row:])
        self._renumber(labels, {label: i for i, label in enumerate(labels)})
        self._counts, self._constant = np.insert(self._counts, row, 0), np.insert(self._constant, row, 0.0)
        nothing = np.zeros(len(self._prior))
        self._sums.insert(row, nothing)
        self._weighted_mean.insert(row, nothing)

    def _remove(self, row: int) -> None:
        labels = (*self._labels[:row], *self._labels[row + 1 :])
        self._renumber(labels, {label: i for i, label in enumerate(labels)})
        self._counts, self._constant = np.delete(self._counts, row), np.delete(self._constant, row)
        self._sums.remove(row)
        self._weighted_mean.remove(row)

    def _renumber(self, labels: tuple[str, ...], index: Mapping[str, int]) -> None:
        """Use these labels and rows from now on; heads that were frozen before keep theirs."""
        self._labels, self._index = labels, MappingProxyType(dict(index))
