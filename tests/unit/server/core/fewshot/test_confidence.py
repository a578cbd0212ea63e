"""Probabilities: computed by hand, in any order of the labels, one by one or together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from haleganada_server.core.fewshot.confidence import (
    Calibration,
    CalibrationContext,
    Decision,
    compute_evidence,
    decide,
)
from hypothesis import given
from hypothesis import strategies as st

FITTED = Calibration(
    (2.0, 0.1, -0.03, 0.7), ((-0.3, 0.1, 0.5, 0, 0), (0.09, -0.02, 0, 0, 0), (-0.01, -0.002, -0.001, 0, 0))
)
CONTEXT = CalibrationContext(3, 12, 200.0)
SCORES = st.lists(st.floats(-2000, 500), min_size=2, max_size=40)


def test_evidence_computed_by_hand() -> None:
    distance, lead = compute_evidence(np.array([1.0, 5.0, 3.0, 2.0]))
    assert (float(distance), float(lead)) == (2 - 5, 5 - (1 + 3) / 2)


def test_a_label_alone_has_no_lead() -> None:
    distance, lead = compute_evidence(np.array([7.0, 4.0]))
    assert (float(distance), float(lead)) == (-3, 0)


def test_only_ten_labels_follow() -> None:
    crowd = np.array([20.0, *range(10), *[-1000.0] * 50, 0.0])
    assert float(compute_evidence(crowd)[1]) == pytest.approx(20 - 4.5)


@given(SCORES, st.integers(1, 30))
def test_the_order_of_the_labels_does_not_matter(scores: list[float], shots: int) -> None:
    order = np.random.default_rng(len(scores)).permutation(len(scores) - 1)
    context = CalibrationContext(shots, len(order), 300.0)
    straight = FITTED.probabilities(np.array(scores), context)
    mixed = FITTED.probabilities(np.append(np.array(scores)[order], scores[-1]), context)
    np.testing.assert_allclose(np.append(straight[order], straight[-1]), mixed, atol=1e-12)
    assert straight.sum() == pytest.approx(1) and straight.min() >= 0


def test_together_as_one_by_one() -> None:
    scores = np.random.default_rng(0).normal(0, 30, (5, 13))
    together = FITTED.log_probabilities(scores, CONTEXT)
    np.testing.assert_allclose(together, [FITTED.log_probabilities(row, CONTEXT) for row in scores])


@given(SCORES, st.sampled_from([None, 20.0]))
def test_one_drawing_as_many(scores: list[float], missing_labels: float | None) -> None:
    context, calibration = CalibrationContext(3, len(scores) - 1, 200.0), replace(FITTED, missing_labels=missing_labels)
    one = calibration.settle(context).probabilities(np.array(scores))
    np.testing.assert_allclose(one, calibration.probabilities(np.array([scores]), context)[0], rtol=1e-9, atol=1e-300)
    assert one.sum() == pytest.approx(1)


@pytest.mark.parametrize("unknown", [-1e6, 1e6])
def test_scores_far_apart_leave_probabilities_finite(unknown: float) -> None:
    found = FITTED.settle(CONTEXT).probabilities(np.array([*range(12), unknown], float))
    assert np.isfinite(found).all() and found.sum() == pytest.approx(1)


def test_a_better_unknown_is_more_probable_and_leaves_the_labels_their_shares() -> None:
    known = np.array([3.0, 1.0, -4.0])
    low, high = (FITTED.probabilities(np.append(known, u), CalibrationContext(1, 3, 500.0)) for u in (-20.0, 20.0))
    assert high[-1] > low[-1]
    np.testing.assert_allclose(high[:-1] / high[:-1].sum(), low[:-1] / low[:-1].sum())


@pytest.mark.parametrize(("ways", "odds"), [(1, 1.0), (20, 1.0), (40, 1 / 2), (600, 1 / 30)])
def test_a_workspace_lacks_as_many_labels_however_many_it_has(ways: int, odds: float) -> None:
    """The odds of “unknown” before the evidence are those labels to the taught ones, but never better than even."""
    context, scores = CalibrationContext(1, ways, 300.0), np.linspace(-9, 3, ways + 1)
    evidence, both = (c.probabilities(scores, context) for c in (FITTED, replace(FITTED, missing_labels=20.0)))
    assert both[-1] / (1 - both[-1]) == pytest.approx(odds * evidence[-1] / (1 - evidence[-1]))
    np.testing.assert_allclose(both[:-1] / both[:-1].sum(), evidence[:-1] / evidence[:-1].sum())


@pytest.mark.parametrize(
    ("best", "unknown", "decision"),
    [(0.9, 0.05, Decision.RECOGNIZED), (0.4, 0.2, Decision.UNSURE), (0.45, 0.55, Decision.UNKNOWN)],
)
def test_decisions(best: float, unknown: float, decision: Decision) -> None:
    assert decide(best, unknown) is decision
