"""A moment is the same sum in both of its forms, to the last bit."""

from __future__ import annotations

import numpy as np
from haleganada_server.core.fewshot.moment import Moment, MomentDraft
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
