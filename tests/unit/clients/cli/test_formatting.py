"""Columns, bars and numbers for people."""

from __future__ import annotations

import pytest
from haleganada_client.cli.formatting import (
    display_width,
    format_bar,
    format_percent,
    format_size,
    format_table,
    printable,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(("text", "columns"), [("ಅ", 1), ("ಕಿ", 1), ("ಕ್", 1), ("漢", 2), ("e\u0301", 1), ("", 0)])
def test_marks_take_no_column_and_wide_characters_two(text: str, columns: int) -> None:
    assert display_width(text) == columns


@given(
    st.lists(st.tuples(st.text("aಕಿ್漢\u200d", max_size=6), st.text("0123456789", max_size=6)), min_size=1, max_size=6)
)
def test_the_last_column_begins_in_the_same_place(rows: list[tuple[str, str]]) -> None:
    lines = format_table([[*row, "|"] for row in rows], right={1}).split("\n")
    assert len({display_width(line) for line in lines}) == 1 and all(line.endswith("|") for line in lines)


@given(st.text())
def test_nothing_is_printed_that_a_terminal_obeys(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not any(char in shown for char in "\x00\x07\x1b\x7f\x9b\n\r\u202e\ud800")
    shown.encode()


def test_letters_and_their_joiners_stay() -> None:
    assert printable("ಕ್\u200dಷ é 漢 “x”") == "ಕ್\u200dಷ é 漢 “x”"


@given(st.floats(0, 1))
def test_bars_have_one_length(share: float) -> None:
    assert len(format_bar(share, 10)) == 10


def test_bars_to_an_eighth() -> None:
    assert (format_bar(0, 2), format_bar(0.5, 2), format_bar(1, 2), format_bar(0.3125, 2)) == ("  ", "█ ", "██", "▋ ")


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "-"), (0, "0.0 %"), (1e-9, "<0.1 %"), (0.123, "12.3 %"), (0.9999, ">99.9 %"), (1, "100.0 %")],
)
def test_only_what_is_certain_is_100_percent(share: float | None, text: str) -> None:
    assert format_percent(share) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (3e9, "3.0 GB")])
def test_sizes(count: float, text: str) -> None:
    assert format_size(count) == text
