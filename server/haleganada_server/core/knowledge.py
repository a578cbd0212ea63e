"""What a workspace knows at one revision, published as a whole: readers take a reference and never lock."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .confidence import Calibration, decide
from .head import Head, Projection
from .types import Candidate, Decision, Prediction
from .variants import Variants
from .waiting import Waiting

_SMALLEST = 1e-300  # keeps a loss finite where a probability underflows


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What is the same for all workspaces: the projection and calibration that came with the weights."""

    projection: Projection
    calibration: Calibration


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What the head makes of one vector. probabilities: (L + 1,), the last one of “unknown”; empty if nothing was
    taught.
    """

    head: Head
    probabilities: NDArray[np.float64]

    def of(self, label: str) -> float:
        """Probability of a label; of “unknown” for a label that was not taught."""
        return float(self.probabilities[self.head.index.get(label, -1)]) if len(self.probabilities) else 1.0

    @property
    def unknown(self) -> float:
        return float(self.probabilities[-1]) if len(self.probabilities) else 1.0

    def loss(self, label: str) -> float:
        """-ln of the probability of `label`: the prequential loss, before the label is learned. 0 or more, finite."""
        return max(0.0, -math.log(max(self.of(label), _SMALLEST)))

    def first(self) -> str:
        """The most probable label; "" if the drawing is rather unknown."""
        if not self.head.labels or self.unknown >= 0.5:
            return ""
        return self.head.labels[int(self.probabilities[:-1].argmax())]


def believe(head: Head, calibration: Calibration, vector: NDArray[np.float64]) -> Belief:
    """What the head makes of a projected vector (k,)."""
    if not head.labels:
        return Belief(head, np.zeros(0))
    return Belief(head, calibration.probabilities(head.scores(vector), head.situation()))


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """The state that one revision of the log gives; everything in it is immutable.

    head: knows the samples that the present weights have embedded by now. waiting: all others. samples_total: of both.
    """

    revision: int
    head: Head
    variants: Variants
    samples_total: int
    waiting: Waiting

    @property
    def labels_known(self) -> int:
        """Labels of live samples."""
        return len(self.head.labels) + self.waiting.labels_beyond(self.head.index)

    def samples(self, label: str) -> int:
        """Live samples of a label."""
        return self.head.count(label) + self.waiting.labels.get(label, 0)

    def predict(self, belief: Belief, top_k: int, prediction_id: str) -> Prediction:
        """The top_k candidates with their canonical labels, and what to make of them."""
        if not self.head.labels:
            decision = Decision.UNKNOWN if self.waiting.labels else Decision.NOTHING_TAUGHT
            return Prediction((), 1.0, decision, self.revision, prediction_id)
        known = belief.probabilities[:-1]
        best = np.argsort(-known, kind="stable")[:top_k]
        candidates = tuple(self._candidate(self.head.labels[i], float(known[i]), belief) for i in best)
        decision = decide(candidates[0].canonical_probability, belief.unknown)
        return Prediction(candidates, belief.unknown, decision, self.revision, prediction_id)

    def _candidate(self, label: str, probability: float, belief: Belief) -> Candidate:
        forms = self.variants.forms(label)
        together = sum(belief.of(form) for form in forms if form in self.head.index)
        return Candidate(label, forms[0], probability, min(1.0, together), forms, self.samples(label))
