"""When the head says 80 %, it shall be right four times in five.

Softmax over the labels and one unknown class, at a temperature exp(t0 + t1 log shots + t2 log ways), the unknown's
log-likelihood moved by u0 + u1 log shots + u2 log ways. The six numbers minimise the negative log-likelihood over a
grid of tasks on held-out scripts (temperature scaling: Guo et al. 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.stats
from numpy.typing import NDArray

from haleganada_server.training.head_fit import HeadFit, log_likelihoods

Floats = NDArray[np.float64]
SHOTS = (1, 2, 5, 10, 20)
WAYS = (2, 5, 20, 100, 400)


@dataclass(frozen=True)
class Task:
    """Scores of queries in one teaching situation."""

    shots: int
    ways: int
    scores: Floats
    """(q, ways + 1), the last column is unknown."""
    truth: NDArray[np.int64]
    """(q,), equal to `ways` where the query's label was not taught."""


@dataclass(frozen=True)
class Calibration:
    """The fitted numbers: constant, per log shots, per log ways."""

    temperature: tuple[float, float, float]
    unknown: tuple[float, float, float]

    def log_probabilities(self, task: Task) -> Floats:
        """(q, ways + 1)."""
        features = np.array([1.0, np.log(task.shots), np.log(task.ways)])
        scores = task.scores.copy()
        scores[:, -1] += features @ self.unknown
        scores /= np.exp(features @ self.temperature)
        scores -= scores.max(1, keepdims=True)
        return np.asarray(scores - np.log(np.exp(scores).sum(1, keepdims=True)))


def make_tasks(
    head: HeadFit, pools: Sequence[NDArray[np.floating]], repeats: int, seed: int, queries: int = 60
) -> list[Task]:
    """Tasks of all shots and ways that a pool (characters, drawings, d) allows.

    In every second task half of the queries are of untaught characters of the same pool; a calibration fitted
    without any would never say unknown, one with only such tasks too often.
    """
    rng = np.random.default_rng(seed)
    tasks = []
    for pool in pools:
        v = head.project(pool)
        for shots in SHOTS:
            for ways in WAYS:
                # Without a few untaught characters and drawings left over there is nothing to ask.
                if shots < v.shape[1] and ways <= 0.9 * len(v):
                    made = [_make_task(head, v, shots, ways, queries, k % 2 == 1, rng) for k in range(repeats)]
                    tasks += made
    return tasks


def _make_task(
    head: HeadFit, v: Floats, shots: int, ways: int, queries: int, open_set: bool, rng: np.random.Generator
) -> Task:
    characters, drawings = rng.permutation(len(v)), rng.permutation(v.shape[1])
    taught, others = characters[:ways], characters[ways:]
    means = v[taught][:, drawings[:shots]].mean(1)
    truth = rng.integers(ways, size=queries)
    column = drawings[shots + rng.integers(v.shape[1] - shots, size=queries)]
    asked = taught[truth]
    if open_set:
        strange = rng.random(queries) < 0.5
        asked = np.where(strange, others[rng.integers(len(others), size=queries)], asked)
        truth = np.where(strange, ways, truth)
    return Task(shots, ways, log_likelihoods(v[asked, column], means, shots, head.between), truth)


def mean_loss(calibration: Calibration, tasks: Sequence[Task]) -> float:
    """Mean negative log-likelihood of the truth, every task weighing the same."""
    losses = [-calibration.log_probabilities(t)[np.arange(len(t.truth)), t.truth].mean() for t in tasks]
    return float(np.mean(losses))


def fit_calibration(tasks: Sequence[Task]) -> Calibration:
    """The numbers that minimise mean_loss."""

    def unpack(x: Floats) -> Calibration:
        a, b, c, d, e, f = (float(value) for value in x)
        # Scores are scaled before the offset's unit is fixed, hence the factor.
        return Calibration((a, b, c), (10 * d, 10 * e, 10 * f))

    start = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    found = scipy.optimize.minimize(lambda x: mean_loss(unpack(x), tasks), start, method="L-BFGS-B")
    return unpack(found.x)


def expected_calibration_error(confidence: Floats, correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean distance between confidence and accuracy over equally wide bins (Naeini et al. 2015)."""
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float(correct[index == i].mean() - confidence[index == i].mean())) * np.mean(index == i)
            for i in np.unique(index)]  # fmt: skip
    return float(np.sum(gaps))


def area_under_roc(positive: Floats, negative: Floats) -> float:
    """Probability that a positive scores above a negative."""
    both = np.concatenate([positive, negative])
    ranks = scipy.stats.rankdata(both)[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


@dataclass(frozen=True)
class Reliability:
    """How far probabilities can be trusted at one number of shots."""

    shots: int
    n: int
    accuracy: float
    ece: float
    auroc: float
    """Known against unknown, by the probability of unknown."""


def reliability(calibration: Calibration, tasks: Sequence[Task], shots: int) -> Reliability:
    """Measured over the tasks with that many shots."""
    confidence, correct, unknown, strange = [], [], [], []
    for task in (t for t in tasks if t.shots == shots):
        p = np.exp(calibration.log_probabilities(task))
        confidence.append(p.max(1))
        correct.append(p.argmax(1) == task.truth)
        if (task.truth == task.ways).any():
            unknown.append(p[:, -1])
            strange.append(task.truth == task.ways)
    c, right, u, s = (np.concatenate(x) for x in (confidence, correct, unknown, strange))
    return Reliability(
        shots, len(c), float(right.mean()), expected_calibration_error(c, right), area_under_roc(u[s], u[~s])
    )
