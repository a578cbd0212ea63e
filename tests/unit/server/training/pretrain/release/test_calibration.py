"""Fitting recovers a known calibration; metrics agree with counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.fewshot.confidence import Calibration, CalibrationContext
from haleganada_server.training.common.metrics import area_under_roc, expected_calibration_error
from haleganada_server.training.pretrain.release.calibration import (
    Task,
    fit_calibration,
    log_probabilities,
    make_tasks,
    mean_loss,
    measure_reliability,
)
from haleganada_server.training.pretrain.release.head_fit import Shrinkage, estimate_covariances, fit_head

TRUE_CALIBRATION = Calibration((1.0, 0.1, 0.05, 0.5), ((-1.0, 0.2, 0.3, 0, 0), (0.3, 0, 0, 0, 0), (-0.1, 0, 0, 0, 0)))


def exact_tasks() -> list[Task]:
    """Return tasks whose truth is sampled from the probabilities of TRUE_CALIBRATION."""
    rng = np.random.default_rng(0)
    tasks = []
    for shots in (1, 5):
        for ways in (1, 2, 20):
            task = Task(
                CalibrationContext(shots, ways, 100.0 * ways),
                rng.normal(0, 6, (4000, ways + 1)),
                np.zeros(4000, np.int64),
            )
            p = np.exp(log_probabilities(TRUE_CALIBRATION, task))
            truth = (p.cumsum(1) < rng.random((4000, 1))).sum(1)
            tasks.append(Task(task.context, task.scores, np.minimum(truth, ways)))
    return tasks


def test_fitting_recovers_the_true_calibration() -> None:
    tasks = exact_tasks()
    found = fit_calibration(tasks)
    for task in tasks:
        true, fitted = (np.exp(log_probabilities(c, task)) for c in (TRUE_CALIBRATION, found))
        assert np.abs(true - fitted).mean() < 0.02
    assert mean_loss(found, tasks) <= mean_loss(TRUE_CALIBRATION, tasks) + 1e-3


def test_fitted_probabilities_are_calibrated() -> None:
    tasks = exact_tasks()
    result = measure_reliability(fit_calibration(tasks), tasks, 5)
    assert result.ece < 0.03
    assert result.n == 12000


def test_calibration_error_counted_by_hand() -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.3, 0.3])
    correct = np.array([True, True, True, False, False, True])
    assert expected_calibration_error(confidence, correct) == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.2)


def test_area_under_roc_counted_by_hand() -> None:
    assert area_under_roc(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1
    assert area_under_roc(np.array([0.9, 0.1]), np.array([0.5])) == 0.5
    assert area_under_roc(np.array([0.5]), np.array([0.5])) == 0.5


def test_half_of_the_queries_are_untaught_unless_all_characters_are_taught() -> None:
    rng = np.random.default_rng(0)
    pool = (rng.normal(size=(30, 1, 4)) * 5 + rng.normal(size=(30, 12, 4))).astype(np.float32)
    head = fit_head(estimate_covariances([pool]), Shrinkage())
    tasks = make_tasks(head, [pool], repeats=2, seed=0)
    assert {t.context.shots for t in tasks} == {1, 2, 5, 10}
    assert {t.context.ways for t in tasks} == {2, 5, 15, 20, 30}
    assert all(t.untaught.mean() == (0 if t.context.ways == 30 else 1 / 2) for t in tasks)


def test_tasks_without_untaught_queries_say_nothing_about_unknown() -> None:
    tasks = exact_tasks()
    known = [
        Task(t.context, t.scores[~t.untaught], t.truth[~t.untaught]) for t in tasks
    ]  # as if everything was always known
    assert fit_calibration(tasks + known).unknown == pytest.approx(np.array(fit_calibration(tasks).unknown))
