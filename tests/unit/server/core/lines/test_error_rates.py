"""Edits, error rates and their intervals, and what texts count as equal."""

from __future__ import annotations

import pytest
from haleganada_server.core.lines.edits import edit_distance, list_edits
from haleganada_server.core.lines.error_rates import (
    ReadLine,
    count_confusions,
    measure_characters,
    measure_words,
)
from haleganada_server.core.lines.texts import clean_line, normalize_for_comparison
from hypothesis import given
from hypothesis import strategies as st

words = st.text("abc", max_size=8)


@given(words, words)
def test_edits_lead_from_one_text_to_the_other(first: str, second: str) -> None:
    edits = list_edits(list(first), list(second))
    assert len(edits) == edit_distance(list(first), list(second))
    assert all(before != after for before, after in edits)
    removed = sorted(before for before, _ in edits if before)
    added = sorted(after for _, after in edits if after)
    kept = sorted(first)
    for one in removed:
        kept.remove(one)
    assert sorted(kept + added) == sorted(second)


@given(words, words, words)
def test_the_distance_is_a_metric(first: str, second: str, third: str) -> None:
    def distance(one: str, other: str) -> int:
        return edit_distance(list(one), list(other))

    assert (distance(first, second) == 0) == (first == second)
    assert distance(first, second) == distance(second, first)
    assert distance(first, third) <= distance(first, second) + distance(second, third)


def test_rates_count_edits_over_what_is_right() -> None:
    lines = [ReadLine("the cat", "the cut"), ReadLine("sat", "sat down")]
    characters, one_word_each = measure_characters(lines), measure_words(lines)
    assert (characters.edits, characters.length) == (6, 10)
    assert (one_word_each.edits, one_word_each.length) == (2, 3)
    assert characters.rate == pytest.approx(0.6)
    assert count_confusions(lines)[0] in [((" ", ""), 1), (("", " "), 1)]


def test_the_interval_holds_the_rate_and_is_narrower_with_more_lines() -> None:
    few = [ReadLine("abcd", "abcx" if number % 4 == 0 else "abcd") for number in range(20)]
    many = few * 20
    for lines in (few, many):
        found = measure_characters(lines)
        assert found.low < found.rate < found.high
    assert measure_characters(many).high - measure_characters(many).low < measure_characters(few).high / 2
    assert measure_characters([]).rate == measure_characters([]).high == 0


def test_lines_of_one_group_are_drawn_together() -> None:
    lines = [ReadLine("abcd", "xxxx" if number < 10 else "abcd", "a" if number < 10 else "b") for number in range(20)]
    grouped, single = measure_characters(lines), measure_characters([ReadLine(one.text, one.read) for one in lines])
    assert grouped.rate == single.rate == 0.5
    assert grouped.high - grouped.low > single.high - single.low


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ಕ\u0cc6\u0cd5", "ಕೇ"),
        ("ರ\u200d್ಯ", "ರ್ಯ"),
        ("“so” — it's", '"so" - it’s'),
        ("a   b ", "a b"),
        ("ರಾಮ॥", "ರಾಮ।।"),
    ],
)
def test_texts_that_differ_in_what_nobody_sees_are_equal(first: str, second: str) -> None:
    assert normalize_for_comparison(first) == normalize_for_comparison(second)


@given(st.text(max_size=20))
def test_normalizing_twice_changes_nothing(text: str) -> None:
    assert normalize_for_comparison(normalize_for_comparison(text)) == normalize_for_comparison(text)
    assert clean_line(clean_line(text)) == clean_line(text)
