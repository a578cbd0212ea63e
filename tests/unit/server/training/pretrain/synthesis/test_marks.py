"""Small marks are put where they belong, and taken away again."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.training.pretrain.synthesis.marks import (
    PLACES,
    SHAPES,
    Mark,
    add_mark,
    choose_marks,
    strip_marks,
)
from haleganada_server.training.pretrain.synthesis.polylines import Drawing

RING = Drawing.from_strokes([np.array([(-0.5, 0), (0, -0.5), (0.5, 0), (0, 0.5), (-0.5, 0)])])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_mark_lies_at_its_side(shape: str, place: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        ring, *mark = add_mark(RING, Mark(shape, place), rng).strokes()
        middle, own = (ring.min(0) + ring.max(0)) / 2, np.concatenate(mark)
        offset = (own.min(0) + own.max(0)) / 2 - middle
        for side, distance in zip(place, offset, strict=True):
            assert np.sign(side) == np.sign(round(float(distance) / 0.3))


def test_hands_put_a_mark_differently() -> None:
    rng, mark = np.random.default_rng(0), Mark("acute", (0, -1))
    assert (add_mark(RING, mark, rng).points != add_mark(RING, mark, rng).points).any()


def test_some_hands_join_dots() -> None:
    rng = np.random.default_rng(0)
    strokes = [len(add_mark(RING, Mark("three dots", (0, -1)), rng).counts) - 1 for _ in range(100)]
    assert set(strokes) == {1, 3}
    assert strokes.count(3) > strokes.count(1)


@pytest.mark.parametrize("shape", ["dot", "two dots", "three dots"])
def test_dots_are_taken_away_again(shape: str) -> None:
    marked = add_mark(RING, Mark(shape, (0, 1)), np.random.default_rng(0))
    np.testing.assert_allclose(strip_marks(marked).points, RING.points, atol=1e-6)


def test_a_drawing_of_nothing_but_marks_stays() -> None:
    dot = Drawing.from_strokes([np.zeros((2, 2))])
    assert strip_marks(dot) is dot


@pytest.mark.parametrize("seed", range(20))
def test_neighbors_differ_in_one_thing(seed: int) -> None:
    marks = choose_marks(np.random.default_rng(seed), 8)
    assert len(set(marks)) == 8
    known = [mark for mark in marks if mark is not None]
    for i, mark in enumerate(known[1:], 1):
        assert any((mark.shape == other.shape) != (mark.place == other.place) for other in known[:i])
