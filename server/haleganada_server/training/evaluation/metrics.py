"""From predictions to metrics. Shares are 0..1; intervals are Wilson's at 95 % (Wilson 1927), which suit small n.

Averages over labels cover the labels that have drawings in the part. The precision of a label that was never predicted
is 0.
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

from .predictions import LabelSpace, Predictions

_Z = 1.959964  # for 95 %
EXAMPLES = 6  # drawings of a confused pair
LISTED = 20  # worst labels, and confused pairs
_RESERVED = ("accuracy", "macro avg", "weighted avg")  # keys of scikit-learn's report, which a label could equal

Floats = NDArray[np.float64]


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """Return the interval of a share of correct predictions, n >= 1."""
    share, spread = correct / n, _Z**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ClassMetrics:
    """Metrics of the c labels that have drawings in the part. rows: (c,) in the label space. precision, recall, f1:
    (c,). support: (c,) number of drawings. correct: (c,) how many of them were recognized.
    """

    rows: NDArray[np.int32]
    precision: Floats
    recall: Floats
    f1: Floats
    support: NDArray[np.int64]
    correct: NDArray[np.int64]

    def average(self, weighted: bool) -> dict[str, float]:
        """Average over labels, each with the same weight or weighted by its drawings."""
        weights = self.support if weighted else None
        values = [float(np.average(v, weights=weights)) for v in (self.precision, self.recall, self.f1)]
        return dict(
            zip(("precision", "recall", "f1-score", "support"), [*values, int(self.support.sum())], strict=True)
        )

    def worst_first(self) -> NDArray[np.intp]:
        """Return the positions of the labels: lowest recall first, then those with more drawings, then in order."""
        return np.lexsort((self.rows, -self.support, self.recall))


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Two labels (rows of the label space) that are taken for one another. first_as_second, second_as_first: positions
    of the drawings, in order.
    """

    first: int
    second: int
    first_as_second: tuple[int, ...]
    second_as_first: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.first_as_second) + len(self.second_as_first)

    def examples(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Choose at most six drawings in all, half of either label if there are as many."""
        half = EXAMPLES // 2
        limit = max(half, EXAMPLES - len(self.second_as_first))
        first = self.first_as_second[:limit]
        return first, self.second_as_first[: EXAMPLES - len(first)]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One recognizer's predictions beside the truth. truth: (n,) rows of the label space. items: (n,) rows of the data
    set. unknown: predictions for drawings of none of the labels, None if there are none.
    """

    space: LabelSpace
    truth: NDArray[np.int32]
    items: NDArray[np.intp]
    predictions: Predictions
    unknown: Predictions | None = None

    @property
    def correct(self) -> NDArray[np.bool_]:
        """(n,)."""
        return np.asarray(self.predictions.best == self.truth)

    def accuracy(self) -> dict[str, Any]:
        """Return the accuracy with its interval."""
        correct, n = int(self.correct.sum()), len(self.truth)
        return {
            "accuracy": correct / n, "accuracy_interval": list(wilson_interval(correct, n)), "correct": correct, "n": n,
        }  # fmt: skip

    def count_rejected(self) -> dict[str, int]:
        """Return how many of the drawings of none of the labels “unknown” would be predicted for."""
        if self.unknown is None:
            return {"drawings": 0, "rejected": 0}
        rejected = 1 - self.unknown.known >= UNKNOWN
        return {"drawings": len(rejected), "rejected": int(rejected.sum())}

    def confidence_metrics(self) -> dict[str, Any]:
        """Return top-5 accuracy, calibration errors, and the share of drawings that “unknown” would be predicted for.

        Some recognizers give some probability to “unknown”, which no drawing here is. The second calibration error
        leaves it out, to compare with models without “unknown”.
        """
        predicted = self.predictions
        return {
            "top5_accuracy": float((predicted.top == self.truth[:, None]).any(axis=1).mean()),
            "expected_calibration_error": expected_calibration_error(predicted.confidence, self.correct),
            "expected_calibration_error_if_known": expected_calibration_error(
                predicted.confidence / predicted.known, self.correct
            ),
            "mean_confidence": float(predicted.confidence.mean()),
            "answered_unknown": float((1 - predicted.known >= UNKNOWN).mean()),
        }

    def class_metrics(self) -> ClassMetrics:
        """Return the metrics of each label."""
        rows = np.unique(self.truth)
        precision, recall, f1, support = precision_recall_fscore_support(
            self.truth, self.predictions.best, labels=rows, zero_division=0.0
        )
        correct = np.bincount(self.truth[self.correct], minlength=len(self.space.labels))[rows]
        return ClassMetrics(
            rows=rows, precision=precision, recall=recall, f1=f1, support=support.astype(np.int64), correct=correct
        )

    def list_confused_pairs(self) -> list[ConfusedPair]:
        """Return the confused pairs, the most frequent first."""
        found: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
        for i in np.flatnonzero(~self.correct).tolist():
            true, predicted = int(self.truth[i]), int(self.predictions.best[i])
            pair = (min(true, predicted), max(true, predicted))
            found.setdefault(pair, ([], []))[true > predicted].append(i)
        pairs = [ConfusedPair(a, b, tuple(x), tuple(y)) for (a, b), (x, y) in found.items()]
        return sorted(pairs, key=lambda pair: (-pair.count, pair.first, pair.second))

    def confusion_matrix(self) -> NDArray[np.int32]:
        """(labels, labels) counts: row = true, column = predicted."""
        size = len(self.space.labels)
        counts = np.zeros((size, size), np.int32)
        np.add.at(counts, (self.truth, self.predictions.best), 1)
        return counts

    def find_mistaken_for(self, row: int) -> tuple[str, int] | None:
        """Return the label that a label is most often mistaken for, and how often; None if it never is."""
        wrong = self.predictions.best[(self.truth == row) & ~self.correct]
        if not len(wrong):
            return None
        rows, counts = np.unique(wrong, return_counts=True)
        return self.space.labels[rows[counts.argmax()]], int(counts.max())


def normalize_rows(counts: NDArray[np.int32]) -> NDArray[np.float32]:
    """Divide each row by its sum; rows without drawings stay 0."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.float32)


def build_classification_report(evaluation: Evaluation, classes: ClassMetrics) -> dict[str, Any]:
    """Return a report with the keys of scikit-learn's classification_report(output_dict=True).

    A label that equals one of them is prefixed with “label ”.
    """
    report: dict[str, Any] = {}
    columns = zip(classes.rows, classes.precision, classes.recall, classes.f1, classes.support, strict=True)
    for row, precision, recall, f1, support in columns:
        label = evaluation.space.labels[row]
        name = f"label {label}" if label in _RESERVED else label
        report[name] = {
            "precision": float(precision), "recall": float(recall), "f1-score": float(f1), "support": int(support),
        }  # fmt: skip
    report["accuracy"] = float(evaluation.correct.mean())
    report["macro avg"], report["weighted avg"] = classes.average(weighted=False), classes.average(weighted=True)
    return report
