"""From log-likelihoods to calibrated probabilities, and from those to a decision.

Two questions, answered one after the other. Is the drawing any of the taught labels? The evidence for “unknown” is
linear in how much better “unknown” explains the drawing than the best label does, and in how far the best label leads
the next ten: a crowd of labels that all fit somewhat says nothing, one that stands out does. To the evidence come the
odds before any drawing is seen. Who has taught a few letters asks for others as often as for these; who has taught
hundreds, seldom. So the workspace is taken to lack some labels, always the same number, each of which is asked as
often as a taught one. Then, which label is it? A softmax over the labels at a temperature. All coefficients depend on
the context: on how many samples each label has (shots), on how many labels there are (ways), and on how far the head
has adapted to them. They are fitted once in pre-training on scripts that the embedder never saw (temperature and Platt
scaling: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017) and travel with the weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from operator import mul
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .adaptation import PRIOR_LABELS, PRIOR_SAMPLES

SURE = 0.5  # more probable than everything else together
UNKNOWN = 0.5

TEMPERATURE_COEFFICIENTS, UNKNOWN_COEFFICIENTS = 4, 5
TYPICAL_SEPARATION = 400.0
"""A unit only; the logarithm of a separation near it is small."""
_FOLLOWERS = 10  # labels behind the best one that its lead is measured against

Coefficients = tuple[float, ...]
Floats = NDArray[np.float64]
Evidence = TypeVar("Evidence", float, Floats)


class Decision(Enum):
    """The server's verdict on a drawing."""

    RECOGNIZED = "recognized"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    NOTHING_TAUGHT = "nothing_taught"


@dataclass(frozen=True, slots=True)
class CalibrationContext:
    """What the probabilities depend on besides the scores. shots: mean number of samples per label, at least 1. ways:
    number of labels, at least 1. separation: see adaptation.Basis.
    """

    shots: float
    ways: int
    separation: float

    def temperature_features(self) -> Coefficients:
        """Return the 4 features of the temperature, which has to grow with the separation, as the scores do."""
        return 1.0, math.log(self.shots), math.log(self.ways), math.log(self.separation / TYPICAL_SEPARATION)

    def unknown_features(self) -> Coefficients:
        """Return the 5 features of “unknown”: 1, shots, ways, and the weights, 0..1, of the workspace's own samples
        in the covariances within and between labels.
        """
        spare = (self.shots - 1) * self.ways
        weights = spare / (spare + PRIOR_SAMPLES), self.ways / (self.ways + PRIOR_LABELS)
        return 1.0, math.log(self.shots), math.log(self.ways), *weights


@dataclass(frozen=True, slots=True)
class Calibration:
    """Coefficients of the context's features. temperature: times temperature_features gives the log temperature.
    unknown: times unknown_features give the summand, the factor of the distance, and the factor of the lead
    (compute_evidence) in the log odds of “unknown” if half of the questions are about labels that were not taught.
    missing_labels: labels that a workspace is taken to lack, > 0; they make the odds before the evidence,
    missing_labels to ways, but never above 1 to 1. None: these odds are in the coefficients already.
    """

    temperature: Coefficients = (0.0,) * TEMPERATURE_COEFFICIENTS
    unknown: tuple[Coefficients, Coefficients, Coefficients] = (
        (0.0,) * UNKNOWN_COEFFICIENTS,
        (1.0,) + (0.0,) * (UNKNOWN_COEFFICIENTS - 1),
        (0.0,) * UNKNOWN_COEFFICIENTS,
    )
    missing_labels: float | None = None

    def assume_missing(self, labels: float) -> Calibration:
        """Return the calibration of a workspace that is known to lack so many labels: one at least, since any drawing
        may be a slip or a scribble. Where the odds are in the coefficients, nothing changes.
        """
        return self if self.missing_labels is None else replace(self, missing_labels=max(1.0, labels))

    def settle(self, context: CalibrationContext) -> SettledCalibration:
        """Return what the coefficients come to in a context."""
        features = context.unknown_features()
        summand, by_distance, by_lead = (_dot(coefficients, features) for coefficients in self.unknown)
        summand += self._prior_odds(context.ways)
        return SettledCalibration(self.temperature_in(context), summand, by_distance, by_lead)

    def probabilities(self, scores: Floats, context: CalibrationContext) -> Floats:
        """(..., L + 1) log-likelihoods, the last one of “unknown” -> as many probabilities, which sum to 1. L >= 1."""
        return np.asarray(np.exp(self.log_probabilities(scores, context)))

    def temperature_in(self, context: CalibrationContext) -> float:
        """Return what log-likelihoods are divided by, > 0. Of two labels, the quotient of the difference is the log
        odds.
        """
        return math.exp(_dot(self.temperature, context.temperature_features()))

    def log_probabilities(self, scores: Floats, context: CalibrationContext) -> Floats:
        """Return the logarithms of the probabilities."""
        settled = self.settle(context)
        odds = settled.odds_of_unknown(*compute_evidence(scores))
        among = scores[..., :-1] / settled.temperature
        among = among - _log_of_sum(among) - np.logaddexp(0, odds)[..., None]
        return np.concatenate([among, -np.logaddexp(0, -odds)[..., None]], axis=-1)

    def _prior_odds(self, ways: int) -> float:
        """Return the log odds of “unknown” before a drawing is seen, at most 0."""
        return 0.0 if self.missing_labels is None else min(0.0, math.log(self.missing_labels / ways))


class SettledCalibration(NamedTuple):
    """A calibration in one context. temperature: see Calibration.temperature_in. summand, by_distance, by_lead: of the
    log odds of “unknown”, the odds beforehand included.
    """

    temperature: float
    summand: float
    by_distance: float
    by_lead: float

    def odds_of_unknown(self, distance: Evidence, lead: Evidence) -> Evidence:
        """Return the log odds of “unknown”. distance, lead: see compute_evidence."""
        return self.summand + self.by_distance * distance + self.by_lead * lead

    def probabilities(self, scores: Floats) -> Floats:
        """Return the probabilities for one drawing's scores (L + 1,), as Calibration.probabilities does: every drawing
        that is recognized or taught asks for them, and each step of numpy's takes a microsecond or several.
        """
        known = scores[:-1]
        top = _find_top(known).tolist()
        best, unknown = max(top), float(scores[-1])
        lead = best - (math.fsum(top) - best) / (len(top) - 1) if len(top) > 1 else 0.0
        is_known, is_unknown = _to_probabilities(self.odds_of_unknown(unknown - best, lead))
        probabilities = np.empty(len(scores))
        among = probabilities[:-1]
        np.subtract(known, best, out=among)
        among /= self.temperature
        np.exp(among, out=among)
        among *= is_known / float(among.sum())
        probabilities[-1] = is_unknown
        return probabilities


def _to_probabilities(odds: float) -> tuple[float, float]:
    """Return the probabilities of the opposite, and of what has these log odds."""
    rarer = math.exp(-abs(odds))
    rare, frequent = rarer / (1 + rarer), 1 / (1 + rarer)
    return (rare, frequent) if odds > 0 else (frequent, rare)


def _dot(coefficients: Coefficients, features: Coefficients) -> float:
    """Return the sum of the products. A few numbers are added up in less time than they become an array."""
    return math.fsum(map(mul, coefficients, features))


def _log_of_sum(values: Floats) -> Floats:
    """(..., n) -> (..., 1), the logarithm of the sum of the exponentials; several times as fast as adding up pairs."""
    largest = values.max(axis=-1, keepdims=True)
    return np.asarray(largest + np.log(np.exp(values - largest).sum(axis=-1, keepdims=True)))


def compute_evidence(scores: Floats) -> tuple[Floats, Floats]:
    """(..., L + 1) log-likelihoods -> distance: how much better “unknown” is than the best label; lead: how much better
    that is than the mean of the next ten, 0 if it is the only label. Both (...,).
    """
    unknown, top = scores[..., -1], _find_top(scores[..., :-1])
    followers = top.shape[-1] - 1
    best = top.max(axis=-1)
    lead = best - (top.sum(axis=-1) - best) / followers if followers else np.zeros(best.shape)
    return unknown - best, lead


def _find_top(known: Floats) -> Floats:
    """(..., L) -> the best label and those that its lead is measured against, in no order."""
    count = 1 + _FOLLOWERS
    return known if known.shape[-1] <= count else np.partition(known, -count, axis=-1)[..., -count:]


def decide(best: float, unknown: float) -> Decision:
    """Return the verdict for these probabilities. best: of the most probable label, all forms of its canonical label
    taken together.
    """
    if unknown >= UNKNOWN:
        return Decision.UNKNOWN
    return Decision.RECOGNIZED if best >= SURE else Decision.UNSURE
