"""From probabilities to symbols: the most probable path, and the most probable texts by all of their paths."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from haleganada_server.core.lines.decoding import Probabilities, align, decode_greedily, search_beam
from hypothesis import given
from hypothesis import strategies as st


def make_probabilities(seed: int, steps: int, symbols: int) -> Probabilities:
    return np.random.default_rng(seed).dirichlet(np.full(symbols + 1, 0.5), steps).astype(np.float32)


def one_hot(path: Sequence[int], symbols: int) -> Probabilities:
    return np.eye(symbols + 1, dtype=np.float32)[list(path)]


def collapse(path: Sequence[int]) -> tuple[int, ...]:
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)


def sum_all_paths(probabilities: Probabilities) -> dict[tuple[int, ...], float]:
    """Return the probability of each text, by trying every path."""
    totals: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(probabilities.shape[1]), repeat=len(probabilities)):
        chance = math.prod(float(row[symbol]) for row, symbol in zip(probabilities, path, strict=True))
        totals[collapse(path)] = totals.get(collapse(path), 0.0) + chance
    return totals


def test_neighbors_of_one_kind_are_one_symbol_unless_a_blank_parts_them() -> None:
    found = decode_greedily(one_hot([0, 1, 1, 0, 1, 2, 2, 0], 2))
    assert [symbol.number for symbol in found] == [1, 1, 2]
    assert [symbol.center for symbol in found] == pytest.approx([2 / 8, 4.5 / 8, 6 / 8])
    assert all(symbol.confidence == 1 for symbol in found)


def test_a_line_without_steps_or_symbols_is_empty() -> None:
    assert decode_greedily(np.zeros((0, 3), np.float32)) == []
    assert decode_greedily(one_hot([0, 0], 2)) == []
    assert search_beam(one_hot([0, 0], 2))[0].numbers == ()


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 3))
def test_a_wide_beam_finds_the_most_probable_texts(seed: int, steps: int, symbols: int) -> None:
    probabilities = make_probabilities(seed, steps, symbols)
    probabilities = np.maximum(probabilities, 2e-3)
    exact = sum_all_paths(probabilities)
    found = search_beam(probabilities, width=500)
    assert found[0].score == pytest.approx(math.log(max(exact.values())), abs=1e-4)
    for hypothesis in found[:5]:
        assert hypothesis.score == pytest.approx(math.log(exact[hypothesis.numbers]), abs=1e-4)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@given(st.integers(0, 10_000), st.integers(1, 20))
def test_a_beam_is_never_worse_than_the_best_path(seed: int, steps: int) -> None:
    probabilities = make_probabilities(seed, steps, 4)
    best_path = float(np.log(probabilities.max(1)).sum())
    assert search_beam(probabilities, width=8)[0].score >= best_path - 1e-3


def test_a_prior_decides_what_the_picture_leaves_open() -> None:
    probabilities = np.array([[0.02, 0.5, 0.48]], np.float32)

    def prior(_before: Sequence[int], number: int) -> float:
        return math.log(0.1 if number == 1 else 0.9)

    assert search_beam(probabilities)[0].numbers == (1,)
    assert search_beam(probabilities, prior=prior)[0].numbers == (2,)
    assert search_beam(probabilities, prior=prior, weight=0.0)[0].numbers == (1,)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_best_path_is_aligned_with_itself(seed: int, steps: int) -> None:
    probabilities = make_probabilities(seed, steps, 3)
    found = decode_greedily(probabilities)
    aligned = align(probabilities, [symbol.number for symbol in found])
    assert [symbol.number for symbol in aligned] == [symbol.number for symbol in found]
    assert [symbol.center for symbol in aligned] == pytest.approx([symbol.center for symbol in found])


def test_a_text_is_found_where_it_is_most_probable() -> None:
    probabilities = np.full((9, 3), 0.1, np.float32)
    probabilities[:, 0] = 0.8
    probabilities[2], probabilities[6] = [0.2, 0.7, 0.1], [0.2, 0.1, 0.7]
    found = align(probabilities, [1, 2])
    assert [symbol.number for symbol in found] == [1, 2]
    assert [symbol.center for symbol in found] == pytest.approx([2.5 / 9, 6.5 / 9])
    assert [symbol.number for symbol in align(probabilities, [1, 1, 1])] == [1, 1, 1]
    assert align(probabilities, []) == []
