"""A moment is the same sum in both of its forms, to the last bit."""

from __future__ import annotations

import numpy as np
from haleganada_server.core.fewshot.moment import Moment, MomentDraft
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

K = 64


def make_vectors(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return vectors as the projection rounds them."""
    return np.round(np.random.default_rng(seed).normal(0, 5, (count, K)) * 4096) / 4096


def test_few_samples_take_little_memory_and_give_the_same_sum_as_many() -> None:
    vectors = make_vectors(40)
    few, many = MomentDraft(Moment.empty(K)), MomentDraft(Moment.empty(K))
    few.add(vectors[:10])
    many.add(vectors)
    many.add(vectors[10:], -1)
    assert (few.freeze().to_matrix() == many.freeze().to_matrix()).all()
    assert few.freeze().nbytes < many.freeze().nbytes / 10


def test_what_is_forgotten_leaves_no_trace_in_either_form() -> None:
    vectors = make_vectors(100)
    draft = MomentDraft(Moment.empty(K))
    for count in (4, 8, 16, 32):
        draft.add(vectors[:count])
        draft.add(vectors[:count], -1)
        assert not draft.freeze().to_matrix().any()


def test_a_moment_stays_as_it_is_when_a_draft_of_it_changes() -> None:
    for count in (4, 40):
        draft = MomentDraft(Moment.empty(K))
        draft.add(make_vectors(count))
        moment = draft.freeze()
        before = moment.to_matrix().copy()
        MomentDraft(moment).add(make_vectors(3, seed=1))
        assert (moment.to_matrix() == before).all()


def test_numbers_that_float32_would_round_are_kept_exactly() -> None:
    vectors = make_vectors(2) + 2.0**20 + 2.0**-12
    draft = MomentDraft(Moment.empty(K))
    draft.add(vectors)
    assert (draft.freeze().to_matrix() == vectors.T @ vectors).all()


@given(st.integers(1, 300), st.integers(0, 10**6), st.lists(st.integers(1, 90), max_size=12), st.data())
def test_any_order_and_any_parts_give_the_same_bits(
    count: int, seed: int, parts: list[int], data: st.DataObject
) -> None:
    """Samples are added one after another or many at once, in drafts of any length; some are taken away again."""
    vectors = make_vectors(count, seed)
    gone = data.draw(st.integers(0, count))
    order = np.array(data.draw(st.permutations(range(count))))
    rest, moment = order, Moment.empty(K)
    while len(rest):
        draft = MomentDraft(moment)
        for size in parts or [len(rest)]:
            draft.add(vectors[rest[:size]])
            rest = rest[size:]
        moment = draft.freeze()
    draft = MomentDraft(moment)
    for vector in vectors[:gone]:
        draft.add(vector[None], -1)
    kept = vectors[gone:]
    one_by_one = sum((np.outer(vector, vector) for vector in kept), np.zeros((K, K)))
    assert (draft.freeze().to_matrix() == one_by_one).all()
    assert (draft.freeze().to_matrix() == kept.T @ kept).all()
