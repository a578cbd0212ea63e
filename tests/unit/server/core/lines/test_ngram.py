"""How symbols follow each other: probabilities that add up to one, and a file that says the same."""

from __future__ import annotations

import gzip
import io
import json
import math
import zipfile

import numpy as np
import pytest
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.ngram import ORDER, SymbolOrder
from hypothesis import given
from hypothesis import strategies as st

SYMBOLS = 4
texts = st.lists(st.lists(st.integers(1, SYMBOLS), max_size=12), max_size=6)


@given(texts, st.lists(st.integers(1, SYMBOLS), max_size=6))
def test_probabilities_are_positive_and_add_up_to_one_at_most(lines: list[list[int]], before: list[int]) -> None:
    order = SymbolOrder.learn(lines, SYMBOLS)
    total = sum(math.exp(order.log_probability(before, symbol)) for symbol in range(SYMBOLS + 1))
    assert 0 < total <= 1 + 1e-9


def test_what_was_seen_often_is_probable() -> None:
    order = SymbolOrder.learn([[1, 2, 3]] * 20 + [[1, 2, 4]], SYMBOLS)
    assert order.log_probability([1, 2], 3) > order.log_probability([1, 2], 4) > order.log_probability([1, 2], 1)
    assert order.log_probability([], 1) > order.log_probability([], 3), "lines begin with 1"


def test_an_order_learns_more_and_forgets_nothing() -> None:
    order = SymbolOrder.learn([[1, 2, 3]] * 20, SYMBOLS)
    more = order.learn_more([[1, 2, SYMBOLS + 1]], SYMBOLS + 1, times=5)
    both = SymbolOrder.learn([*[[1, 2, 3]] * 20, *[[1, 2, SYMBOLS + 1]] * 5], SYMBOLS + 1)
    assert more.to_bytes() == both.to_bytes()
    assert order.to_bytes() == SymbolOrder.learn([[1, 2, 3]] * 20, SYMBOLS).to_bytes()


@given(texts)
def test_the_file_says_the_same(lines: list[list[int]]) -> None:
    order = SymbolOrder.learn(lines, SYMBOLS)
    data = order.to_bytes(weight=0.5)
    again, about = SymbolOrder.from_bytes(data)
    assert about == {"weight": 0.5}
    assert data == again.to_bytes(weight=0.5)
    for symbol in range(1, SYMBOLS + 1):
        assert again.log_probability([1, symbol], 2) == order.log_probability([1, symbol], 2)


def test_a_decoder_reads_what_its_order_prefers() -> None:
    order = SymbolOrder.learn([[1, 2]] * 30 + [[1, 3]], SYMBOLS)
    probabilities = np.full((3, SYMBOLS + 1), 0.02, np.float32)
    probabilities[0, 1] = probabilities[1, 0] = 0.92
    probabilities[2, 2], probabilities[2, 3] = 0.45, 0.49
    assert [symbol.number for symbol in LineDecoder().decode(probabilities)] == [1, 3]
    knowing = LineDecoder.from_bytes(LineDecoder(order, 0.5, 0.2).to_bytes())
    assert (knowing.weight, knowing.bonus) == (0.5, 0.2)
    assert [symbol.number for symbol in knowing.decode(probabilities)] == [1, 2]
    numbers = [one.numbers for one in knowing.list_hypotheses(probabilities)]
    assert numbers[0] == (1, 2)
    assert (1, 3) in numbers
    with pytest.raises(ValueError, match="no order"):
        LineDecoder().to_bytes()
    with pytest.raises(ValueError, match="lacks"):
        LineDecoder.from_bytes(order.to_bytes())


@given(texts)
def test_a_file_of_an_earlier_version_says_the_same(lines: list[list[int]]) -> None:
    order = SymbolOrder.learn(lines, SYMBOLS)
    again, about = SymbolOrder.from_bytes(write_json(order_counts(lines)))
    assert about == {"weight": 0.5}
    assert again.to_bytes() == order.to_bytes()


def test_an_order_of_shorter_runs_is_read_as_it_is() -> None:
    """Earlier versions counted runs of five symbols at most."""
    counts = {run: n for run, n in order_counts([[1, 2, 3, 1, 2, 3, 1]] * 3).items() if len(run) < ORDER}
    shorter, _ = SymbolOrder.from_bytes(write_json(counts))
    assert sum(math.exp(shorter.log_probability([3, 1, 2, 3, 1], symbol)) for symbol in range(SYMBOLS + 1)) <= 1 + 1e-9
    assert shorter.log_probability([3, 1, 2, 3, 1], 2) > shorter.log_probability([3, 1, 2, 3, 1], 3)


def order_counts(lines: list[list[int]]) -> dict[tuple[int, ...], int]:
    """Count runs as SymbolOrder.learn does, plainly."""
    found: dict[tuple[int, ...], int] = {}
    for line in lines:
        begun = (*[0] * (ORDER - 1), *line)
        for end in range(ORDER, len(begun) + 1):
            for length in range(1, ORDER + 1):
                run = begun[end - length : end]
                found[run] = found.get(run, 0) + 1
    return {run: count for run, count in found.items() if count >= (1 if len(run) < 4 else 2)}


def write_json(counts: dict[tuple[int, ...], int]) -> bytes:
    """Return the file that earlier versions wrote."""
    rows: dict[tuple[int, ...], list[int]] = {}
    for run, count in sorted(counts.items()):
        rows.setdefault(run[:-1], [*run[:-1], -1]).extend([run[-1], count])
    entry = {"format": 1, "symbols": SYMBOLS, "weight": 0.5, "rows": list(rows.values())}
    return gzip.compress(json.dumps(entry).encode())


def write_arrays(**arrays: list[int]) -> bytes:
    """Return a file with these arrays, sound or not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("about.json", json.dumps({"format": 2, "symbols": SYMBOLS}))
        for name, values in arrays.items():
            array = io.BytesIO()
            np.save(array, np.array(values, np.uint32))
            file.writestr(f"{name}.npy", array.getvalue())
    return buffer.getvalue()


def test_arrays_that_are_no_tree_are_refused() -> None:
    SymbolOrder.from_bytes(write_arrays(symbols=[0, 1], counts=[0, 3], first=[1, 2, 2]))
    for arrays in (
        {"symbols": [0, 1], "counts": [0, 3], "first": [1, 2, 3]},
        {"symbols": [0, 1], "counts": [0], "first": [1, 2, 2]},
        {"symbols": [0, 1], "counts": [0, 3], "first": [1, 1, 2]},
        {"symbols": [0, 1], "counts": [0, 3], "first": [2, 2, 2]},
        {"symbols": [0] * 8, "counts": [1] * 8, "first": [1, 2, 3, 4, 5, 6, 7, 8, 8]},  # seven symbols
        {"symbols": [], "counts": [], "first": [0]},
        {"symbols": [0, 1], "counts": [0, 3]},
    ):
        with pytest.raises(ValueError, match=r".+"):
            SymbolOrder.from_bytes(write_arrays(**arrays))
    whole = SymbolOrder.learn([[1, 2]], SYMBOLS).to_bytes()
    for end in (2, len(whole) // 2, len(whole) - 1):
        with pytest.raises(ValueError, match=r".+"):
            SymbolOrder.from_bytes(whole[:end])


@pytest.mark.parametrize("text", [b"{}", b"[1]", b'{"format": 2}', b'{"format": 1, "symbols": 2, "rows": [[1]]}', b"x"])
def test_other_files_are_refused(text: bytes) -> None:
    for data in (text, gzip.compress(text)):
        with pytest.raises(ValueError, match=r".+"):
            SymbolOrder.from_bytes(data)
