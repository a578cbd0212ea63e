"""The head is a function of the set of samples: it does not depend on order, batches or history."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.core.fewshot.head import Head, Projection
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

DIM = 5
BETWEEN = np.array([0.2, 0.5, 1.0, 2.0, 4.0])
PROJECTION = Projection(np.zeros(DIM), np.eye(DIM), BETWEEN)
Taught = list[tuple[str, NDArray[np.float64]]]


def vector(seed: int) -> NDArray[np.float64]:
    return PROJECTION.project_one(np.random.default_rng(seed).normal(0, 2, DIM).astype(np.float32))


samples = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 10**6).map(vector)), max_size=30)


def taught_one_by_one(taught: Taught) -> Head:
    draft = Head.empty(BETWEEN).draft()
    for label, sample in taught:
        draft.teach(label, sample)
    return draft.freeze()


def by_label(head: Head, query: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip((*head.labels, "unknown"), head.scores(query), strict=True))


def assert_equal(one: Head, other: Head) -> None:
    """Assert equal statistics to the last bit, and equal scores up to the order of additions within one score."""
    assert set(one.labels) == set(other.labels)
    for label in one.labels:
        i, j = one.index[label], other.index[label]
        assert one.counts[i] == other.counts[j]
        assert (one.sums[i] == other.sums[j]).all()
    assert (one.moment == other.moment).all()
    query = vector(7)
    assert by_label(one.adapt(), query) == pytest.approx(by_label(other.adapt(), query), abs=1e-9, rel=0)


@given(samples, st.randoms())
def test_order_does_not_matter(taught: Taught, random: object) -> None:
    shuffled = list(taught)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_equal(taught_one_by_one(taught), taught_one_by_one(shuffled))


@given(samples)
def test_fitting_equals_teaching(taught: Taught) -> None:
    vectors = np.array([sample for _, sample in taught]).reshape(len(taught), DIM)
    assert_equal(Head.fit(BETWEEN, [label for label, _ in taught], vectors), taught_one_by_one(taught))


@given(samples, st.integers(0, 30))
def test_any_split_into_drafts(taught: Taught, at: int) -> None:
    draft = taught_one_by_one(taught[:at]).draft()
    for label, sample in taught[at:]:
        draft.teach(label, sample)
    assert_equal(draft.freeze(), taught_one_by_one(taught))


@given(samples, samples)
def test_teach_and_forget_is_never_taught(kept: Taught, passing: Taught) -> None:
    draft = taught_one_by_one(kept).draft()
    for label, sample in passing:
        draft.teach(label, sample)
    for label, sample in reversed(passing):
        draft.forget(label, sample)
    assert_equal(draft.freeze(), taught_one_by_one(kept))


@given(samples)
def test_a_published_head_does_not_change(taught: Taught) -> None:
    head = taught_one_by_one(taught)
    before = by_label(head, vector(3)), by_label(head.adapt(), vector(3))
    draft = head.draft()
    draft.teach("a", vector(1))
    draft.teach("new", vector(2))
    assert (by_label(head, vector(3)), by_label(head.adapt(), vector(3))) == before


@given(samples, samples)
def test_when_a_head_was_adapted_does_not_matter(first: Taught, then: Taught) -> None:
    """A draft continues in the basis of a head that was adapted meanwhile; the next head still adapts to the same
    basis.
    """
    head = taught_one_by_one(first)
    head.adapt()
    draft = head.draft()
    for label, sample in then:
        draft.teach(label, sample)
    assert_equal(draft.freeze(), taught_one_by_one(first + then))


def test_forgetting_an_unknown_label_is_an_error() -> None:
    with pytest.raises(KeyError):
        Head.empty(BETWEEN).draft().forget("a", vector(1))


def test_scores_are_the_posterior_predictive() -> None:
    """Compare with the integral over the label's mean, found by sampling: p(v | samples) = E[N(v; mean, 1)]."""
    own = [vector(1), vector(2), vector(3)]
    head = taught_one_by_one([("a", sample) for sample in own])
    query = vector(4)
    n, total = len(own), np.sum(own, axis=0)
    mean, spread = BETWEEN * total / (1 + n * BETWEEN), BETWEEN / (1 + n * BETWEEN)
    means = np.random.default_rng(0).normal(mean, np.sqrt(spread), (400_000, DIM))
    density = np.exp(-0.5 * (query - means) ** 2).mean(axis=0)
    assert head.scores(query)[0] == pytest.approx(np.log(density).sum(), abs=0.05)


@given(samples.filter(bool))
def test_probabilities_are_probabilities(taught: Taught) -> None:
    head = taught_one_by_one(taught)
    shares = Calibration(
        (0.3, 0.1, 0.1, 0.2), ((0.5, 0, 0.2, 0, 0), (0.1, 0, 0.1, 0, 0), (-0.1, 0, 0, 0, 0))
    ).probabilities(head.scores(vector(5)), head.calibration_context())
    assert len(shares) == len(head.labels) + 1
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1.0)
