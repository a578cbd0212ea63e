"""From log-likelihoods to honest probabilities, and from those to a decision.

Two questions, answered one after the other. Is the drawing any of the taught labels? The log odds of “unknown” are
linear in how much better “unknown” explains the drawing than the best label does, and in how far the best label leads
the next ten: a crowd of labels that all fit somewhat says nothing, one that stands out does. Then, which label is it?
A softmax over the labels at a temperature. All coefficients depend on how many samples each label has (shots), on how
many labels there are (ways), and on how far these let the head adapt; they are fitted once in pre-training on
scripts that the embedder never saw (temperature and Platt scaling: Guo et al., "On Calibration of Modern Neural
Networks", ICML 2017) and travel with the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .adaptation import PRIOR_LABELS, PRIOR_SAMPLES
from .types import Decision

SURE = 0.5  # more probable than everything else together
UNKNOWN = 0.5


_FOLLOWERS = 10  # labels behind the best one that its lead is measured against

Numbers = tuple[float, ...]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Each of these has as many numbers as situation() has, to be multiplied with those.

    temperature: gives its logarithm. unknown: give, of the log odds of “unknown”, the summand, the factor of the
    distance, and the factor of the lead (see evidence).
    """

    temperature: Numbers = (0.0, 0.0, 0.0, 0.0, 0.0)
    unknown: tuple[Numbers, Numbers, Numbers] = (
        (0.0, 0.0, 0.0, 0.0, 0.0),
        (1.0, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.0, 0.0, 0.0),
    )

    def probabilities(self, scores: Floats, counts: NDArray[np.int64]) -> Floats:
        """(L + 1,) log-likelihoods, the last one of “unknown”, and (L,) samples a label -> (L + 1,) probabilities,
        summing to 1. L >= 1.
        """
        return np.asarray(np.exp(self.log_probabilities(scores, mean_shots(counts), len(counts))))

    def log_probabilities(self, scores: Floats, shots: float, ways: int) -> Floats:
        """As probabilities, of (..., L + 1) scores at once, as logarithms."""
        given = situation(shots, ways)
        summand, by_distance, by_lead = np.asarray(self.unknown) @ given
        distance, lead = evidence(scores)
        odds = summand + by_distance * distance + by_lead * lead
        among = scores[..., :-1] / np.exp(np.dot(self.temperature, given))
        among = among - np.logaddexp.reduce(among, axis=-1, keepdims=True) - np.logaddexp(0, odds)[..., None]
        return np.concatenate([among, -np.logaddexp(0, -odds)[..., None]], axis=-1)


def situation(shots: float, ways: int) -> Floats:
    """(5,): one, log shots, log ways, and what the workspace's samples weigh in the covariances within and between
    labels, as shares of 1 (see adaptation).
    """
    spare = (shots - 1) * ways
    return np.array([1.0, np.log(shots), np.log(ways), spare / (spare + PRIOR_SAMPLES), ways / (ways + PRIOR_LABELS)])


def mean_shots(counts: NDArray[np.int64]) -> float:
    """Samples a label, at least 1."""
    return max(1.0, float(counts.mean()))


def evidence(scores: Floats) -> tuple[Floats, Floats]:
    """(..., L + 1) log-likelihoods -> how much better “unknown” is than the best label, and how much better that is
    than the mean of the next ten, 0 if it is the only one; both (...,).
    """
    known, unknown = scores[..., :-1], scores[..., -1]
    followers = min(_FOLLOWERS, known.shape[-1] - 1)
    if not followers:
        return unknown - known[..., 0], np.zeros(known.shape[:-1])
    top = np.partition(known, -followers - 1, axis=-1)[..., -followers - 1 :]
    best = top.max(axis=-1)
    return unknown - best, best - (top.sum(axis=-1) - best) / followers


def decide(best: float, unknown: float) -> Decision:
    """What to make of a drawing whose best label (forms of one canonical label taken together) and “unknown” have
    these probabilities.
    """
    if unknown >= UNKNOWN:
        return Decision.UNKNOWN
    return Decision.RECOGNISED if best >= SURE else Decision.UNSURE
