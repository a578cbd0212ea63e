"""From log-likelihoods to honest probabilities, and from those to a decision.

Two questions, answered one after the other. Is the drawing any of the taught labels? The log odds of “unknown” are
linear in how much better “unknown” explains the drawing than the best label does, and in how far the best label leads
the next ten: a crowd of labels that all fit somewhat says nothing, one that stands out does. Then, which label is it?
A softmax over the labels at a temperature. All coefficients depend on the situation: on how many samples each label
has (shots), on how many labels there are (ways), and on what the head made of these when it adapted. They are fitted
once in pre-training on scripts that the embedder never saw (temperature and Platt scaling: Guo et al., "On
Calibration of Modern Neural Networks", ICML 2017) and travel with the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .adaptation import PRIOR_LABELS, PRIOR_SAMPLES

SURE = 0.5  # more probable than everything else together
UNKNOWN = 0.5


TEMPERATURE_NUMBERS, UNKNOWN_NUMBERS = 4, 5
TYPICAL_ROOM = 400.0
"""Only a unit, near which the logarithm of a room is small."""
_FOLLOWERS = 10  # labels behind the best one that its lead is measured against

Numbers = tuple[float, ...]
Floats = NDArray[np.float64]


class Decision(Enum):
    """What the server makes of a drawing."""

    RECOGNIZED = "recognized"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    NOTHING_TAUGHT = "nothing_taught"


@dataclass(frozen=True, slots=True)
class Situation:
    """What probabilities depend on beside the scores. shots: mean samples a label, at least 1. ways: labels, at least
    1. room: see adaptation.Basis.
    """

    shots: float
    ways: int
    room: float

    def for_labels(self) -> Floats:
        """(4,), what the choice among the labels depends on: scores grow with the room between labels, so the
        temperature has to.
        """
        return np.array([1.0, np.log(self.shots), np.log(self.ways), np.log(self.room / TYPICAL_ROOM)])

    def for_unknown(self) -> Floats:
        """(5,), what “unknown” depends on: shots, ways, and what the workspace's samples weigh in the covariances
        within and between labels, as shares of 1.
        """
        spare = (self.shots - 1) * self.ways
        weights = spare / (spare + PRIOR_SAMPLES), self.ways / (self.ways + PRIOR_LABELS)
        return np.array([1.0, np.log(self.shots), np.log(self.ways), *weights])


@dataclass(frozen=True, slots=True)
class Calibration:
    """temperature: with Situation.for_labels it gives its logarithm. unknown: with Situation.for_unknown they give, of
    the log odds of “unknown”, the summand, the factor of the distance, and the factor of the lead (see evidence).
    """

    temperature: Numbers = (0.0,) * TEMPERATURE_NUMBERS
    unknown: tuple[Numbers, Numbers, Numbers] = (
        (0.0,) * UNKNOWN_NUMBERS,
        (1.0,) + (0.0,) * (UNKNOWN_NUMBERS - 1),
        (0.0,) * UNKNOWN_NUMBERS,
    )

    def probabilities(self, scores: Floats, situation: Situation) -> Floats:
        """(..., L + 1) log-likelihoods, the last one of “unknown” -> as many probabilities, summing to 1. L >= 1."""
        return np.asarray(np.exp(self.log_probabilities(scores, situation)))

    def log_probabilities(self, scores: Floats, situation: Situation) -> Floats:
        """As probabilities, as logarithms."""
        summand, by_distance, by_lead = np.asarray(self.unknown) @ situation.for_unknown()
        distance, lead = evidence(scores)
        odds = summand + by_distance * distance + by_lead * lead
        among = scores[..., :-1] / np.exp(np.dot(self.temperature, situation.for_labels()))
        among = among - np.logaddexp.reduce(among, axis=-1, keepdims=True) - np.logaddexp(0, odds)[..., None]
        return np.concatenate([among, -np.logaddexp(0, -odds)[..., None]], axis=-1)


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
    return Decision.RECOGNIZED if best >= SURE else Decision.UNSURE
