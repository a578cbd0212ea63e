"""The few-shot head's posterior for one drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .confidence import Calibration
from .head import Head

_MIN_PROBABILITY = 1e-300  # keeps a loss finite where a probability underflows


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """The probability of each label given one vector. probabilities: (L + 1,), the last one of “unknown”; empty if
    nothing was taught.
    """

    head: Head
    probabilities: NDArray[np.float64]

    def probability(self, label: str) -> float:
        """Return the probability of a label; for one that was not taught, that of “unknown”."""
        return float(self.probabilities[self.head.index.get(label, -1)]) if len(self.probabilities) else 1.0

    @property
    def unknown(self) -> float:
        return float(self.probabilities[-1]) if len(self.probabilities) else 1.0

    def loss(self, label: str) -> float:
        """Return -ln of the probability of `label`, 0 or more, finite: the prequential loss if it is about to be
        learned.
        """
        return max(0.0, -math.log(max(self.probability(label), _MIN_PROBABILITY)))

    def top_label(self) -> str:
        """Return the most probable label; "" if “unknown” is at least as probable as all labels."""
        if not self.head.labels or self.unknown >= 0.5:
            return ""
        return self.head.labels[int(self.probabilities[:-1].argmax())]


def compute_posterior(head: Head, calibration: Calibration, vector: NDArray[np.float64]) -> Posterior:
    """Return the posterior for a projected vector (k,)."""
    if not head.labels:
        return Posterior(head, np.zeros(0))
    return Posterior(head, head.settle(calibration).probabilities(head.scores(vector)))
