"""What a network with labels of its own makes of a drawing, told as what a workspace's own head makes of it.

Such a network knows its labels and nothing else: no probability is kept for “unknown”. Which labels are forms of one
another, and how many samples of each were taught, is the workspace's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.fewshot.confidence import decide
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.knowledge.prediction import Candidate, Prediction

Floats = NDArray[np.float64]


class Classifier(Protocol):
    """A network with a fixed list of labels. Safe to call from several threads at once."""

    @property
    def labels(self) -> tuple[str, ...]:
        """By output; NFC, unique."""

    def probabilities(self, rasters: NDArray[np.uint8]) -> Floats:
        """(n, 128, 128) uint8 ink rasters -> (n, classes), each row summing to 1. Raises DataLoss for a network that
        gives no such numbers.
        """


class Recogniser:
    """A model that was trained on a data set, answering for workspaces. Immutable."""

    def __init__(self, classifier: Classifier, model_id: str) -> None:
        self._classifier = classifier
        self._model_id = model_id
        self._labels = classifier.labels
        self._index = {label: place for place, label in enumerate(self._labels)}

    def answer(self, rasters: NDArray[np.uint8], revision: int) -> Answers:
        """What it makes of (n, 128, 128) rasters, n >= 1, for a workspace at that revision. Raises as its classifier
        does.
        """
        rows = self._classifier.probabilities(rasters)
        return Answers(self._model_id, self._labels, rows, revision, self._index)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one state of a network made of n drawings. model: see model_names, or its id. rows: (n, labels)
    probabilities. revision: of the workspace, as far as the network knows it. index: the place of each label.
    """

    model: str
    labels: tuple[str, ...]
    rows: Floats
    revision: int
    index: dict[str, int]

    def first(self, number: int) -> str:
        """The most probable label of a drawing."""
        return self.labels[int(self.rows[number].argmax())]

    def prediction(self, number: int, knowledge: Knowledge, top_k: int, prediction_id: str) -> Prediction:
        """The top_k candidates of a drawing, with the workspace's canonical labels, forms and counts."""
        row = self.rows[number]
        best = np.argsort(-row, kind="stable")[:top_k]
        candidates = tuple(self._candidate(int(place), row, knowledge) for place in best)
        decision = decide(candidates[0].canonical_probability, 0.0)
        return Prediction(candidates, 0.0, decision, self.revision, prediction_id, self.model)

    def _candidate(self, place: int, row: Floats, knowledge: Knowledge) -> Candidate:
        label = self.labels[place]
        forms = knowledge.variants.forms(label)
        together = sum(float(row[self.index[form]]) for form in forms if form in self.index)
        samples = knowledge.samples(label)
        return Candidate(label, forms[0], float(row[place]), min(1.0, together), forms, samples)
