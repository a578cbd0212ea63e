"""Fitting recovers the Gaussians behind the data, and scores equal those of the server's head."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.training.pretrain.release.head_fit import (
    HeadFit,
    Shrinkage,
    estimate_covariances,
    fit_head,
    log_likelihoods,
)

BETWEEN = np.array([9.0, 4.0, 1.0])


@pytest.fixture
def drawings() -> np.ndarray:
    """Return (classes, drawings, 3): two covariances, mixed by one matrix."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(4000, 1, 3)) * np.sqrt(BETWEEN)
    mixing = np.array([[1.0, 0.4, 0.0], [0.0, 1.0, -0.3], [0.2, 0.0, 1.0]])
    return np.asarray((means + rng.normal(size=(4000, 6, 3))) @ mixing + 5.0)


def test_within_becomes_the_identity_and_between_is_recovered(drawings: np.ndarray) -> None:
    head = fit_head(estimate_covariances([drawings]), Shrinkage(0, 0))
    np.testing.assert_allclose(head.between, BETWEEN, rtol=0.15)
    again = estimate_covariances([head.project(drawings)])
    np.testing.assert_allclose(again.within, np.eye(3), atol=0.02)
    np.testing.assert_allclose(again.between, np.diag(head.between), atol=0.05)
    np.testing.assert_allclose(again.mean, 0, atol=1e-9)


def test_groups_are_centered_separately(drawings: np.ndarray) -> None:
    apart = estimate_covariances([drawings[:2000], drawings[2000:] + 100])
    together = estimate_covariances([drawings])
    np.testing.assert_allclose(apart.between, together.between, atol=0.5)


def test_widening_lowers_the_between_variances(drawings: np.ndarray) -> None:
    moments = estimate_covariances([drawings])
    plain, wide = fit_head(moments, Shrinkage(0, 0)), fit_head(moments, Shrinkage(0, 0, widen=2))
    np.testing.assert_allclose(wide.between, plain.between / 2)


def test_dropped_dimensions_are_the_least_discriminative(drawings: np.ndarray) -> None:
    head = fit_head(estimate_covariances([drawings]), Shrinkage(0, 0, dims=2))
    assert head.projection.shape == (3, 2)
    assert head.between[1] > 2


def test_scores_are_those_of_the_server(drawings: np.ndarray) -> None:
    head: HeadFit = fit_head(estimate_covariances([drawings]), Shrinkage(0.1, 0.1))
    taught, queries = head.project(drawings[:5, :3]), head.project(drawings[:5, 4])
    served = build_head(head.between, [str(i) for i in range(5) for _ in range(3)], taught.reshape(15, -1))
    ours = log_likelihoods(queries, taught.mean(1), 3, head.between)
    for query, expected in zip(queries, ours, strict=True):
        theirs = served.scores(query)
        np.testing.assert_allclose(theirs - theirs[-1], expected - expected[-1], atol=1e-6)
