"""Calibration finds a known temperature; its measures are right on cases one can count."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.confidence import Calibration as ServedCalibration
from haleganada_server.training.calibrate import (
    Calibration,
    Task,
    area_under_roc,
    expected_calibration_error,
    fit_calibration,
    make_tasks,
    reliability,
)
from haleganada_server.training.head_fit import Shrinkage, covariances, fit_head


def exact_tasks(temperature: float) -> list[Task]:
    """Tasks whose truth is drawn from the softmax of the scores at a temperature."""
    rng = np.random.default_rng(0)
    tasks = []
    for shots in (1, 5):
        for ways in (2, 20):
            scores = rng.normal(0, 6, (3000, ways + 1))
            p = np.exp(scores / temperature - (scores / temperature).max(1, keepdims=True))
            truth = (p.cumsum(1) / p.sum(1, keepdims=True) < rng.random((3000, 1))).sum(1)
            tasks.append(Task(shots, ways, scores, truth))
    return tasks


def test_the_temperature_that_made_the_data_is_found() -> None:
    calibration = fit_calibration(exact_tasks(3.0))
    for shots, ways in ((1, 2), (5, 20)):
        features = np.array([1, np.log(shots), np.log(ways)])
        assert np.exp(features @ calibration.temperature) == pytest.approx(3.0, rel=0.1)
        assert abs(features @ calibration.unknown) < 0.6


def test_fitted_probabilities_can_be_trusted() -> None:
    tasks = exact_tasks(3.0)
    result = reliability(fit_calibration(tasks), tasks, 5)
    assert result.ece < 0.03
    assert result.n == 6000


def test_probabilities_are_those_of_the_server() -> None:
    numbers = ((1.2, -0.1, 0.05), (-3.0, 0.5, 1.0))
    scores = np.random.default_rng(1).normal(0, 5, (4, 8))
    ours = np.exp(Calibration(*numbers).log_probabilities(Task(3, 7, scores, np.zeros(4, np.int64))))
    served = ServedCalibration(*numbers)
    for row, expected in zip(scores, ours, strict=True):
        np.testing.assert_allclose(served.probabilities(row, np.full(7, 3)), expected, rtol=1e-9)


def test_calibration_error_counted_by_hand() -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.3, 0.3])
    correct = np.array([True, True, True, False, False, True])
    assert expected_calibration_error(confidence, correct) == pytest.approx(4 / 6 * 0.15 + 2 / 6 * 0.2)


def test_area_under_the_curve_counted_by_hand() -> None:
    assert area_under_roc(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1
    assert area_under_roc(np.array([0.9, 0.1]), np.array([0.5])) == 0.5
    assert area_under_roc(np.array([0.5]), np.array([0.5])) == 0.5


def test_tasks_ask_for_drawings_that_were_not_taught() -> None:
    rng = np.random.default_rng(0)
    pool = (rng.normal(size=(30, 1, 4)) * 5 + rng.normal(size=(30, 12, 4))).astype(np.float32)
    head = fit_head(covariances([pool]), Shrinkage())
    tasks = make_tasks(head, [pool], repeats=2, seed=0)
    assert {t.shots for t in tasks} == {1, 2, 5, 10}
    assert {t.ways for t in tasks} == {2, 5, 20}
    open_set = [(t.truth == t.ways).mean() for t in tasks]
    assert sum(share > 0 for share in open_set) == len(tasks) // 2
