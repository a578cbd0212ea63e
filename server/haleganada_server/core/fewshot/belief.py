"""What the few-shot head believes of one drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .confidence import Calibration
from .head import Head

_SMALLEST = 1e-300  # keeps a loss finite where a probability underflows


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
