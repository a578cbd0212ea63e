"""From log-likelihoods to honest probabilities, and from those to a decision.

Softmax over the labels and “unknown”, at a temperature that depends on how many samples each label has (shots) and
how many labels there are (ways): log T = t0 + t1 log shots + t2 log ways, and the score of “unknown” is shifted by
u0 + u1 log shots + u2 log ways. The six numbers are fitted once in pre-training on scripts that the embedder never
saw (temperature scaling: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017) and travel with the
weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .types import Decision

SURE = 0.5  # more probable than everything else together
UNKNOWN = 0.5


@dataclass(frozen=True, slots=True)
class Calibration:
    """temperature: (t0, t1, t2). unknown: (u0, u1, u2)."""

    temperature: tuple[float, float, float] = (0.0, 0.0, 0.0)
    unknown: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def probabilities(self, scores: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """(L + 1,) log-likelihoods, the last one of “unknown”, and (L,) samples a label -> (L + 1,) probabilities,
        summing to 1.
        """
        shots, ways = np.log(max(1.0, float(counts.mean()))), np.log(len(counts))
        shifted = scores.copy()
        shifted[-1] += _linear(self.unknown, shots, ways)
        shifted = (shifted - shifted.max()) / np.exp(_linear(self.temperature, shots, ways))
        odds = np.exp(shifted)
        return np.asarray(odds / odds.sum())


def _linear(coefficients: Sequence[float], shots: float, ways: float) -> float:
    constant, by_shots, by_ways = coefficients
    return constant + by_shots * shots + by_ways * ways


def decide(best: float, unknown: float) -> Decision:
    """What to make of a drawing whose best label (forms of one canonical label taken together) and “unknown” have
    these probabilities.
    """
    if unknown >= UNKNOWN:
        return Decision.UNKNOWN
    return Decision.RECOGNISED if best >= SURE else Decision.UNSURE
