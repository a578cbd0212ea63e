"""From answers to figures. Shares are 0..1; intervals are Wilson's at 95 % (Wilson 1927), right for small n too.

Averages over labels take the labels that have drawings in the part. A label's precision is 0 where it was never
answered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from haleganada_server.core.fewshot.confidence import UNKNOWN
from haleganada_server.training.common.metrics import expected_calibration_error

from .answers import Answers, Space

_Z = 1.959964  # of 95 %
EXAMPLES = 6  # drawings of a confused pair
LISTED = 20  # worst labels, and confused pairs
_TAKEN = ("accuracy", "macro avg", "weighted avg")  # keys of a report that a label could have too

Floats = NDArray[np.float64]


def wilson(right: int, n: int) -> tuple[float, float]:
    """The interval of a share of right answers, n >= 1."""
    share, spread = right / n, _Z**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """By label of the data set that has drawings in the part. rows: (c,) in the space. precision, recall, f1: (c,).
    support: (c,) drawings. right: (c,) of them.
    """

    rows: NDArray[np.int32]
    precision: Floats
    recall: Floats
    f1: Floats
    support: NDArray[np.int64]
    right: NDArray[np.int64]

    def average(self, weighted: bool) -> dict[str, float]:
        """Over labels, each as much as others or as its drawings."""
        weights = self.support if weighted else None
        values = [float(np.average(v, weights=weights)) for v in (self.precision, self.recall, self.f1)]
        return dict(
            zip(("precision", "recall", "f1-score", "support"), [*values, int(self.support.sum())], strict=True)
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two labels (rows of the space) that are taken for one another. first_as_second, second_as_first: rows of
    `truth` of the drawings, in order.
    """

    first: int
    second: int
    first_as_second: tuple[int, ...]
    second_as_first: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.first_as_second) + len(self.second_as_first)

    def examples(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """At most six in all, as equal numbers from both as there are."""
        half = EXAMPLES // 2
        few = max(half, EXAMPLES - len(self.second_as_first))
        first = self.first_as_second[:few]
        return first, self.second_as_first[: EXAMPLES - len(first)]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One recogniser's answers beside the truth. truth: (n,) rows of the space. items: (n,) rows of the data set."""

    space: Space
    truth: NDArray[np.int32]
    items: NDArray[np.intp]
    answers: Answers

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(n,)."""
        return np.asarray(self.answers.best == self.truth)

    def accuracy(self) -> dict[str, Any]:
        """Accuracy with its interval."""
        right, n = int(self.correct.sum()), len(self.truth)
        return {"accuracy": right / n, "accuracy_interval": list(wilson(right, n)), "correct": right, "n": n}

    def certainty(self) -> dict[str, Any]:
        """Top-5 accuracy, how far probabilities can be believed, and how often the answer would be “unknown”.

        The head shares probability with “unknown”, which no drawing here is; the second calibration error leaves it
        out, to compare with models that know no “unknown”.
        """
        told = self.answers
        return {
            "top5_accuracy": float((told.top == self.truth[:, None]).any(axis=1).mean()),
            "expected_calibration_error": expected_calibration_error(told.confidence, self.correct),
            "expected_calibration_error_if_known": expected_calibration_error(
                told.confidence / told.known, self.correct
            ),
            "mean_confidence": float(told.confidence.mean()),
            "answered_unknown": float((1 - told.known >= UNKNOWN).mean()),
        }

    def classes(self) -> Classes:
        """Figures by label."""
        rows = np.unique(self.truth)
        precision, recall, f1, support = precision_recall_fscore_support(
            self.truth, self.answers.best, labels=rows, zero_division=0.0
        )
        right = np.bincount(self.truth[self.correct], minlength=len(self.space.labels))[rows]
        return Classes(rows, precision, recall, f1, support.astype(np.int64), right)

    def pairs(self) -> list[Pair]:
        """The most confused pairs, the most frequent first."""
        found: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
        for i in np.flatnonzero(~self.correct).tolist():
            is_, read = int(self.truth[i]), int(self.answers.best[i])
            pair = (min(is_, read), max(is_, read))
            found.setdefault(pair, ([], []))[is_ > read].append(i)
        pairs = [Pair(a, b, tuple(x), tuple(y)) for (a, b), (x, y) in found.items()]
        return sorted(pairs, key=lambda pair: (-pair.count, pair.first, pair.second))

    def matrix(self) -> NDArray[np.int32]:
        """(space, space) counts: row = truth, column = answer."""
        size = len(self.space.labels)
        counts = np.zeros((size, size), np.int32)
        np.add.at(counts, (self.truth, self.answers.best), 1)
        return counts

    def read_as(self, row: int) -> tuple[str, int] | None:
        """The label that a label is most often taken for wrongly, and how often; None if it never is."""
        wrong = self.answers.best[(self.truth == row) & ~self.correct]
        if not len(wrong):
            return None
        rows, counts = np.unique(wrong, return_counts=True)
        return self.space.labels[rows[counts.argmax()]], int(counts.max())


def normalized(counts: NDArray[np.int32]) -> NDArray[np.float32]:
    """Each row as shares of its sum; rows without drawings stay 0."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.float32)


def classification_report(measured: Measured, classes: Classes) -> dict[str, Any]:
    """With the keys of scikit-learn's classification_report(output_dict=True). A label that is called as one of them
    gets “label ” before it.
    """
    report: dict[str, Any] = {}
    columns = zip(classes.rows, classes.precision, classes.recall, classes.f1, classes.support, strict=True)
    for row, precision, recall, f1, support in columns:
        label = measured.space.labels[row]
        name = f"label {label}" if label in _TAKEN else label
        report[name] = {
            "precision": float(precision), "recall": float(recall), "f1-score": float(f1), "support": int(support),
        }  # fmt: skip
    report["accuracy"] = float(measured.correct.mean())
    report["macro avg"], report["weighted avg"] = classes.average(weighted=False), classes.average(weighted=True)
    return report


def worst_first(classes: Classes) -> NDArray[np.intp]:
    """Positions in `classes`: lowest recall first; among equals, those with more drawings, then in order."""
    return np.lexsort((classes.rows, -classes.support, classes.recall))
