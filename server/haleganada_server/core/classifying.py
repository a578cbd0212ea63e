"""What a model that was trained on a data set makes of a drawing, told as what a workspace's own head makes of it.

Such a model knows its labels and nothing else: no probability is kept for “unknown”. Which labels are forms of one
another, and how many samples of each were taught, is the workspace's.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .confidence import decide
from .knowledge import Knowledge
from .types import Candidate, Prediction

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
    """A classifier that answers for workspaces. Immutable."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._labels = classifier.labels
        self._index = {label: place for place, label in enumerate(self._labels)}

    def probabilities(self, rasters: NDArray[np.uint8]) -> Floats:
        """As Classifier's."""
        return self._classifier.probabilities(rasters)

    def first(self, probabilities: Floats) -> str:
        """The most probable label of a drawing, given its (classes,) probabilities."""
        return self._labels[int(probabilities.argmax())]

    def predict(self, probabilities: Floats, knowledge: Knowledge, top_k: int, prediction_id: str) -> Prediction:
        """The top_k candidates of a drawing, given its (classes,) probabilities, with the workspace's canonical labels,
        forms and counts.
        """
        best = np.argsort(-probabilities, kind="stable")[:top_k]
        candidates = tuple(self._candidate(int(place), probabilities, knowledge) for place in best)
        decision = decide(candidates[0].canonical_probability, 0.0)
        return Prediction(candidates, 0.0, decision, knowledge.revision, prediction_id)

    def _candidate(self, place: int, probabilities: Floats, knowledge: Knowledge) -> Candidate:
        label = self._labels[place]
        forms = knowledge.variants.forms(label)
        together = sum(float(probabilities[self._index[form]]) for form in forms if form in self._index)
        samples = knowledge.samples(label)
        return Candidate(label, forms[0], float(probabilities[place]), min(1.0, together), forms, samples)
