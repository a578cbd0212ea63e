"""Calibrate the head's probabilities: of answers given 80 %, four in five shall be right.

Fits core.fewshot.confidence.Calibration to a grid of tasks on held-out scripts, in two independent parts: a logistic
regression for “unknown”, and for the labels the temperature that minimizes the negative log-likelihood (Guo et al.
2017). Characters that were not taught are letters of the same alphabet, as they are for whoever has taught half of it:
they resemble taught ones far more often than letters of other scripts do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import NDArray

from haleganada_server.core.fewshot.confidence import (
    TEMPERATURE_COEFFICIENTS,
    Calibration,
    CalibrationContext,
    Coefficients,
    compute_evidence,
)
from haleganada_server.training.common.metrics import area_under_roc, expected_calibration_error

from .head_fit import HeadFit, head_scores

Floats = NDArray[np.float64]
SHOTS = (1, 2, 5, 10, 20)
WAYS = (2, 5, 20, 100, 300)
"""Labels that are taught, besides half of a script and all of it."""
MISSING_LABELS = 20.0
"""See Calibration. Not fitted, since no data set tells what people will ask: with about twenty, half of an alphabet
taught means even odds, and with the hundreds of labels of a syllabary few questions are about others.
"""
_NATS = 10.0
_RIDGE = 1e-4


@dataclass(frozen=True)
class Task:
    """Scores of queries in one context."""

    context: CalibrationContext
    scores: Floats
    """(q, ways + 1); the last column is unknown."""
    truth: NDArray[np.int64]
    """(q,), class indices; the number of ways where the query's label was not taught."""

    @property
    def untaught(self) -> NDArray[np.bool_]:
        """Return (q,), True where the query's label was not taught."""
        return np.equal(self.truth, self.context.ways)


def list_ways(characters: int) -> list[int]:
    """Return the numbers of labels to teach of a script with so many characters."""
    few = {ways for ways in WAYS if ways <= 0.9 * characters}
    return sorted(few | {characters // 2, characters})


def make_tasks(
    head: HeadFit,
    pools: Sequence[NDArray[np.floating]],
    repeats: int,
    seed: int,
    queries: int = 200,
    ways_of: Callable[[int], Iterable[int]] = list_ways,
) -> list[Task]:
    """Return tasks for all shots that each pool (characters, drawings, d) allows, and for the ways that ways_of returns
    for its number of characters.

    Half of the queries are untaught characters of the same pool, unless all characters are taught.
    """
    rng = np.random.default_rng(seed)
    tasks = []
    for pool in pools:
        v = head.project(pool)
        for shots in (s for s in SHOTS if s < v.shape[1]):  # some drawings must be left over as queries
            for ways in ways_of(len(v)):
                tasks += [_make_task(head, v, shots, ways, queries, rng) for _ in range(repeats)]
    return tasks


def _make_task(head: HeadFit, v: Floats, shots: int, ways: int, queries: int, rng: np.random.Generator) -> Task:
    characters, drawings = rng.permutation(len(v)), rng.permutation(v.shape[1])
    taught, others = characters[:ways], characters[ways:]
    truth = rng.integers(ways, size=queries)
    column = drawings[shots + rng.integers(v.shape[1] - shots, size=queries)]
    queried = taught[truth]
    if len(others):
        untaught = np.arange(queries) % 2 == 1
        queried = np.where(untaught, others[rng.integers(len(others), size=queries)], queried)
        truth = np.where(untaught, ways, truth)
    examples = v[taught][:, drawings[:shots]]
    basis = head.basis(examples)
    scores = head_scores(basis, v[queried, column], examples)
    return Task(CalibrationContext(shots, ways, basis.separation), scores, truth)


def log_probabilities(calibration: Calibration, task: Task) -> Floats:
    """Return calibrated log-probabilities of a task's queries, (q, ways + 1)."""
    return calibration.log_probabilities(task.scores, task.context)


def mean_loss(calibration: Calibration, tasks: Sequence[Task]) -> float:
    """Return the mean negative log-likelihood of the truth, with equal weight for each task."""
    losses = [-log_probabilities(calibration, t)[np.arange(len(t.truth)), t.truth].mean() for t in tasks]
    return float(np.mean(losses))


def fit_calibration(tasks: Sequence[Task]) -> Calibration:
    """Fit the coefficients that minimize mean_loss, a sum of one part for “unknown” and one for the labels.

    Tasks without untaught queries tell nothing about “unknown”; in the others, half of the queries are expected to be.
    """
    return Calibration(_fit_temperature(tasks), _fit_unknown(tasks))


def _fit_unknown(tasks: Sequence[Task]) -> tuple[Coefficients, Coefficients, Coefficients]:
    """Regress “the label was not taught” on the evidence times the context (logistic)."""
    tasks = [task for task in tasks if task.untaught.any()]
    inputs = np.concatenate([_regression_inputs(task) for task in tasks])
    sign = np.concatenate([np.where(task.untaught, 1.0, -1.0) for task in tasks])
    weight = np.concatenate([np.full(len(task.truth), 1 / (len(task.truth) * len(tasks))) for task in tasks])

    def loss(x: Floats) -> tuple[float, Floats]:
        margin = sign * (inputs @ x)
        slope = -weight * sign * np.exp(-np.logaddexp(0, margin))
        return float(weight @ np.logaddexp(0, -margin) + _RIDGE * x @ x), inputs.T @ slope + 2 * _RIDGE * x

    found = scipy.optimize.minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B").x.reshape(3, -1)
    return tuple(found[0].tolist()), tuple((found[1] / _NATS).tolist()), tuple((found[2] / _NATS).tolist())


def _regression_inputs(task: Task) -> Floats:
    """Return (q, 15): 1, distance and lead, each times the context, in units in which they are about 1."""
    columns = [np.ones(len(task.truth)), *(values / _NATS for values in compute_evidence(task.scores))]
    return np.concatenate([column[:, None] * np.array(task.context.unknown_features()) for column in columns], axis=1)


def _fit_temperature(tasks: Sequence[Task]) -> Coefficients:
    """Fit the temperature to the queries whose label was taught."""
    taught = [~task.untaught for task in tasks]
    cases = [(t.scores[k, :-1], t.truth[k], t.context) for t, k in zip(tasks, taught, strict=True) if k.any()]

    def loss(x: Floats) -> float:
        losses = []
        for scores, truth, context in cases:
            scaled = scores / np.exp(context.temperature_features() @ x)
            right = scaled[np.arange(len(truth)), truth]
            losses.append((scipy.special.logsumexp(scaled, axis=1) - right).mean())
        return float(np.mean(losses))

    start = np.eye(TEMPERATURE_COEFFICIENTS)[0]
    return tuple(scipy.optimize.minimize(loss, start, method="L-BFGS-B").x.tolist())


@dataclass(frozen=True)
class Reliability:
    """Calibration error and separation of unknown characters for one number of shots."""

    shots: int
    n: int
    accuracy: float
    ece: float
    auroc: float
    """Known versus unknown characters, by the probability of unknown."""


def measure_reliability(calibration: Calibration, tasks: Sequence[Task], shots: int) -> Reliability:
    """Measure over the tasks with that many shots."""
    confidence, correct, unknown, untaught = [], [], [], []
    for task in (t for t in tasks if t.context.shots == shots):
        p = np.exp(log_probabilities(calibration, task))
        confidence.append(p.max(1))
        correct.append(p.argmax(1) == task.truth)
        if task.untaught.any():
            unknown.append(p[:, -1])
            untaught.append(task.untaught)
    c, right, u, s = (np.concatenate(x) for x in (confidence, correct, unknown, untaught))
    return Reliability(
        shots, len(c), float(right.mean()), expected_calibration_error(c, right), area_under_roc(u[s], u[~s])
    )
