"""What recognizers predict for the drawings of a data set's part: each alone, and their ensemble.

Labels are compared by their text. Predictions are rows of one list of labels, a LabelSpace: first those of the data
set, then those that only some recognizer knows, which are always wrong here.

The ensemble predicts by the mean of its members' log-probabilities over the labels that all of them know.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.models.ensemble import average_logs

from .progress import ProgressReporter
from .recognizers import MICRO_BATCH, Floats, Rasters, Recognizer

TOP_K = 5
_CHUNK = 128  # drawings between two checks for cancellation


@dataclass(frozen=True, slots=True)
class LabelSpace:
    """labels: those of the data set, then all others. dataset_labels: how many are the data set's."""

    labels: tuple[str, ...]
    dataset_labels: int

    @classmethod
    def build(cls, dataset_labels: Sequence[str], recognizers: Sequence[Recognizer]) -> LabelSpace:
        """Join the data set's labels and those of the recognizers, in their order."""
        known = [label for recognizer in recognizers for label in recognizer.labels]
        return cls(tuple(dict.fromkeys([*dataset_labels, *known])), len(dataset_labels))

    def rows(self, labels: Sequence[str]) -> NDArray[np.int32]:
        """Return the rows of labels."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[label] for label in labels], dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions for n drawings.

    top: (n, 5) int32 rows of the label space, best first, -1 where there are fewer labels. confidence: (n,) probability
    of the best one. known: (n,) probability of all labels together; the rest is that of “unknown”.
    """

    top: NDArray[np.int32]
    confidence: NDArray[np.float64]
    known: NDArray[np.float64]

    @property
    def best(self) -> NDArray[np.int32]:
        """(n,) rows of the label space."""
        return self.top[:, 0]

    def __getitem__(self, chosen: slice) -> Predictions:
        """Return the predictions for some of the drawings."""
        return Predictions(self.top[chosen], self.confidence[chosen], self.known[chosen])

    @staticmethod
    def from_log_probabilities(log_probabilities: Floats, rows: NDArray[np.int32]) -> Predictions:
        """log_probabilities: (n, labels). rows: (labels,) their rows in the label space."""
        order = np.argsort(-log_probabilities, axis=1, kind="stable")[:, :TOP_K]
        top = np.full((len(log_probabilities), TOP_K), -1, dtype=np.int32)
        top[:, : order.shape[1]] = rows[order]
        probabilities = np.exp(log_probabilities.astype(np.float64))
        return Predictions(top, probabilities.max(axis=1), probabilities.sum(axis=1))

    @staticmethod
    def concatenate(chunks: Sequence[Predictions]) -> Predictions:
        """Join the predictions for successive drawings."""
        return Predictions(
            np.concatenate([chunk.top for chunk in chunks]),
            np.concatenate([chunk.confidence for chunk in chunks]),
            np.concatenate([chunk.known for chunk in chunks]),
        )


def predict_all(
    recognizers: Sequence[Recognizer], rasters: Rasters, items: NDArray[np.intp], space: LabelSpace,
    pool: ThreadPoolExecutor, progress: ProgressReporter,
) -> list[Predictions]:  # fmt: skip
    """Return each recognizer's predictions for rasters[items], and last the ensemble's, if there is one.

    There is one if several recognizers have a label in common.
    """
    ensemble = _Ensemble.build(recognizers, space)
    predicted: list[list[Predictions]] = []
    chunks = [items[i : i + _CHUNK] for i in range(0, len(items), _CHUNK)]
    for chunk in progress.track("evaluating", chunks, len):
        drawn, logs = rasters[chunk], []
        for recognizer in recognizers:
            progress.raise_if_cancelled()
            logs.append(_compute_log_probabilities(recognizer, drawn, pool))
        each = [
            Predictions.from_log_probabilities(log, space.rows(recognizer.labels))
            for log, recognizer in zip(logs, recognizers, strict=True)
        ]
        if len(ensemble.rows):
            each.append(Predictions.from_log_probabilities(ensemble.combine(logs), ensemble.rows))
        predicted.append(each)
    return [Predictions.concatenate(of_one) for of_one in zip(*predicted, strict=True)]


def _compute_log_probabilities(recognizer: Recognizer, rasters: Rasters, pool: ThreadPoolExecutor) -> Floats:
    """(n, 64, 64) -> (n, labels), on all cores."""
    micro_batches = [rasters[i : i + MICRO_BATCH] for i in range(0, len(rasters), MICRO_BATCH)]
    return np.concatenate(list(pool.map(recognizer.log_probabilities, micro_batches)))


@dataclass(frozen=True, slots=True, eq=False)
class _Ensemble:
    """rows: those of the labels that all members know, in the label space; none for a single recognizer. columns: the
    same labels' columns in the log-probabilities of each member.
    """

    rows: NDArray[np.int32]
    columns: list[NDArray[np.int32]]

    @staticmethod
    def build(recognizers: Sequence[Recognizer], space: LabelSpace) -> _Ensemble:
        if len(recognizers) < 2:
            return _Ensemble(np.zeros(0, np.int32), [])
        common = set.intersection(*(set(recognizer.labels) for recognizer in recognizers))
        labels = [label for label in space.labels if label in common]
        columns = [
            np.array([position[label] for label in labels], dtype=np.int32)
            for position in ({label: i for i, label in enumerate(r.labels)} for r in recognizers)
        ]
        return _Ensemble(space.rows(labels), columns)

    def combine(self, logs: Sequence[Floats]) -> Floats:
        """Return the mean log-probabilities over the common labels, normalized."""
        common = [log[:, columns] for log, columns in zip(logs, self.columns, strict=True)]
        return average_logs(common).astype(np.float32)
