"""Predictions of a network with its own fixed labels, in the same form as those of a workspace's head.

Such a network knows its labels and nothing else. One that can reject also tells how probable it is that a drawing has
none of them. Which labels are variants of one another, and how many samples of each were taught, comes from the
workspace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.confidence import UNKNOWN, decide
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.prediction import Candidate, Prediction

Floats = NDArray[np.float64]


class Classifier(Protocol):
    """A network with a fixed list of labels. Safe to call from several threads at once."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order of the outputs; NFC, unique."""

    def classify(self, rasters: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Return probabilities for (n, 128, 128) uint8 ink rasters: of the labels, (n, classes), each row summing to 1,
        if a drawing has one of them; and of “unknown”, (n,), 0 from a network that cannot reject. Raises DataLoss if
        the network's outputs are not probabilities.
        """


class Predictor:
    """A model trained on a data set, answering for workspaces. Immutable."""

    def __init__(self, classifier: Classifier, model_id: str) -> None:
        self._classifier = classifier
        self._model_id = model_id
        self._labels = classifier.labels
        self._index = {label: column for column, label in enumerate(self._labels)}

    def predict(self, rasters: NDArray[np.uint8], revision: int) -> ClassifierOutput:
        """Classify (n, 128, 128) rasters, n >= 1, for a workspace at that revision. Raises as its classifier does."""
        among, unknown = self._classifier.classify(rasters)
        return ClassifierOutput(
            model_id=self._model_id,
            labels=self._labels,
            probabilities=among * (1 - unknown)[:, None],
            unknown=unknown,
            revision=revision,
            index=self._index,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ClassifierOutput:
    """Class probabilities of n drawings.

    model_id: of the network, or one of core/model_names. probabilities: (n, labels). unknown: (n,), that a drawing has
    none of the labels; with it, each row sums to 1. revision: the latest revision of the workspace that the network
    knows. index: column of each label.
    """

    model_id: str
    labels: tuple[str, ...]
    probabilities: Floats
    unknown: Floats
    revision: int
    index: dict[str, int]

    def top_label(self, number: int) -> str:
        """Return the most probable label of drawing `number`; "" if “unknown” is at least as probable as all labels."""
        if self.unknown[number] >= UNKNOWN:
            return ""
        return self.labels[int(self.probabilities[number].argmax())]

    def to_prediction(self, number: int, knowledge: Knowledge, top_k: int, prediction_id: str) -> Prediction:
        """Return the top_k candidates of drawing `number`, with the workspace's canonical labels, forms and counts."""
        row, unknown = self.probabilities[number], float(self.unknown[number])
        best = np.argsort(-row, kind="stable")[:top_k]
        candidates = tuple(self._candidate(int(column), row, knowledge) for column in best)
        return Prediction(
            candidates=candidates,
            unknown_probability=unknown,
            decision=decide(candidates[0].canonical_probability, unknown),
            revision=self.revision,
            prediction_id=prediction_id,
            model=self.model_id,
        )

    def _candidate(self, column: int, row: Floats, knowledge: Knowledge) -> Candidate:
        label = self.labels[column]
        forms = knowledge.variants.forms(label)
        total = sum(float(row[self.index[form]]) for form in forms if form in self.index)
        return Candidate(
            label=label,
            canonical=forms[0],
            probability=float(row[column]),
            canonical_probability=min(1.0, total),
            forms=forms,
            samples=knowledge.count_samples(label),
            class_id=knowledge.class_ids.get(label),
            canonical_class_id=knowledge.class_ids.get(forms[0]),
        )
