"""The head is a function of the set of samples: it does not depend on order, batches or history."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.fewshot.builder import HeadBuilder, build_head, empty_head
from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.core.fewshot.draft import HeadDraft
from haleganada_server.core.fewshot.head import Head
from haleganada_server.core.fewshot.projection import Projection
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


def teach_one_by_one(taught: Taught) -> Head:
    return teach_more(empty_head(BETWEEN), taught)


def teach_more(head: Head, taught: Taught) -> Head:
    draft = HeadDraft(head)
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
    assert (one.moment.to_matrix() == other.moment.to_matrix()).all()
    query = vector(7)
    assert by_label(one.adapt(), query) == pytest.approx(by_label(other.adapt(), query), abs=1e-9, rel=0)


@given(samples, st.randoms())
def test_order_does_not_matter(taught: Taught, random: object) -> None:
    shuffled = list(taught)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_equal(teach_one_by_one(taught), teach_one_by_one(shuffled))


@given(samples)
def test_fitting_equals_teaching(taught: Taught) -> None:
    vectors = np.array([sample for _, sample in taught]).reshape(len(taught), DIM)
    assert_equal(build_head(BETWEEN, [label for label, _ in taught], vectors), teach_one_by_one(taught))


@given(samples, st.lists(st.integers(1, 8), min_size=30, max_size=30))
def test_any_split_into_blocks(taught: Taught, sizes: list[int]) -> None:
    builder, rest = HeadBuilder(BETWEEN), taught
    for size in sizes:
        block, rest = rest[:size], rest[size:]
        builder.add([label for label, _ in block], np.array([sample for _, sample in block]).reshape(len(block), DIM))
    assert not rest
    head = builder.finish()
    assert_equal(head, teach_one_by_one(taught))
    assert head.labels == teach_one_by_one(taught).labels


@given(samples, st.integers(0, 30))
def test_any_split_into_drafts(taught: Taught, at: int) -> None:
    draft = HeadDraft(teach_one_by_one(taught[:at]))
    for label, sample in taught[at:]:
        draft.teach(label, sample)
    assert_equal(draft.freeze(), teach_one_by_one(taught))


@given(samples, samples)
def test_teach_and_forget_is_never_taught(kept: Taught, passing: Taught) -> None:
    draft = HeadDraft(teach_one_by_one(kept))
    for label, sample in passing:
        draft.teach(label, sample)
    for label, sample in reversed(passing):
        draft.forget(label, sample)
    assert_equal(draft.freeze(), teach_one_by_one(kept))


@given(samples)
def test_a_published_head_does_not_change(taught: Taught) -> None:
    head = teach_one_by_one(taught)
    before = by_label(head, vector(3)), by_label(head.adapt(), vector(3))
    draft = HeadDraft(head)
    draft.teach("a", vector(1))
    draft.teach("new", vector(2))
    assert (by_label(head, vector(3)), by_label(head.adapt(), vector(3))) == before


def change_head(head: Head, changes: Taught) -> Head:
    """Return a head to which samples were taught; a sample that was taught already is forgotten instead."""
    draft, live = HeadDraft(head), {label: [head.sums[row]] for label, row in head.index.items()}
    for label, sample in changes:
        if len(live.get(label, [])) > 1 and sample[0] > 0:
            draft.forget(label, live[label].pop())
        else:
            draft.teach(label, sample)
            live.setdefault(label, []).append(sample)
    return draft.freeze()


@given(samples, samples, samples)
def test_when_a_head_was_adapted_does_not_matter(first: Taught, then: Taught, last: Taught) -> None:
    """Whether a draft continues in the basis of a head that was adapted, or takes it over later, it adapts to the same
    basis in the end.
    """
    head = teach_one_by_one(first)
    adapted = head.adapt()
    plain = change_head(change_head(head, then), last)
    for other in (
        change_head(change_head(adapted, then), last),
        change_head(change_head(head, then).adopt(adapted), last),
        change_head(change_head(head, then), last).adopt(adapted),
        change_head(change_head(head, then).adapt(), last).adopt(adapted),
    ):
        assert_equal(plain, other)
    assert_equal(teach_one_by_one(first + then), teach_more(adapted, then))


many = st.lists(st.tuples(st.integers(0, 200).map(str), st.integers(0, 10**6).map(vector)), max_size=200)


@given(many, many)
def test_a_basis_is_taken_over_as_if_the_changes_had_been_made_in_it(first: Taught, then: Taught) -> None:
    head = teach_one_by_one([(str(number), vector(number)) for number in range(150)] + first)
    adapted = head.adapt()
    late, early = change_head(head, then).adopt(adapted), change_head(adapted, then)
    assert late.lineage == early.lineage and late.labels == early.labels
    assert late.basis is adapted.basis
    np.testing.assert_allclose(late.scores(vector(7)), early.scores(vector(7)), rtol=0, atol=1e-9)


def test_only_the_basis_of_an_ancestor_is_taken_over() -> None:
    head = teach_one_by_one([("a", vector(1)), ("b", vector(2))])
    twin = teach_one_by_one([("a", vector(1)), ("b", vector(2))])
    assert head.adopt(twin.adapt()) is head
    newer = change_head(head, [("c", vector(3))]).adapt()
    assert newer.adopt(head.adapt()) is newer, "its own basis is newer"


@given(samples, st.integers(1, 6))
def test_many_drawings_are_scored_as_each_alone(taught: Taught, number: int) -> None:
    head = teach_one_by_one(taught).adapt()
    queries = np.array([vector(seed) for seed in range(number)])
    np.testing.assert_allclose(head.score_many(queries), [head.scores(query) for query in queries], rtol=0, atol=1e-9)


@given(samples.filter(bool))
def test_the_score_without_a_sample_is_that_of_a_head_without_it(taught: Taught) -> None:
    head = teach_one_by_one(taught)
    others = [(label, sample) for label, sample in taught if head.count(label) > 1]
    if others:
        scores = head.score_without([label for label, _ in others], np.array([sample for _, sample in others]))
        for (label, sample), score in zip(others, scores, strict=True):
            draft = HeadDraft(head)
            draft.forget(label, sample)
            assert score == pytest.approx(by_label(draft.freeze(), sample)[label], abs=1e-9, rel=0)


def test_forgetting_an_unknown_label_is_an_error() -> None:
    with pytest.raises(KeyError):
        HeadDraft(empty_head(BETWEEN)).forget("a", vector(1))


def test_scores_are_the_posterior_predictive() -> None:
    """Compare with the integral over the label's mean, found by sampling: p(v | samples) = E[N(v; mean, 1)]."""
    own = [vector(1), vector(2), vector(3)]
    head = teach_one_by_one([("a", sample) for sample in own])
    query = vector(4)
    n, total = len(own), np.sum(own, axis=0)
    mean, spread = BETWEEN * total / (1 + n * BETWEEN), BETWEEN / (1 + n * BETWEEN)
    means = np.random.default_rng(0).normal(mean, np.sqrt(spread), (400_000, DIM))
    density = np.exp(-0.5 * (query - means) ** 2).mean(axis=0)
    assert head.scores(query)[0] == pytest.approx(np.log(density).sum(), abs=0.05)


@given(samples.filter(bool))
def test_probabilities_are_probabilities(taught: Taught) -> None:
    head = teach_one_by_one(taught)
    shares = Calibration(
        (0.3, 0.1, 0.1, 0.2), ((0.5, 0, 0.2, 0, 0), (0.1, 0, 0.1, 0, 0), (-0.1, 0, 0, 0, 0))
    ).probabilities(head.scores(vector(5)), head.calibration_context())
    assert len(shares) == len(head.labels) + 1
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1.0)
