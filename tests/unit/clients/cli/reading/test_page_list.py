"""Lists of pages on the command line."""

from __future__ import annotations

import pytest
from haleganada_client.cli.files.page_list import parse_page_list


@pytest.mark.parametrize(
    ("text", "pages"), [("3", "3"), ("3-7", "3-7"), ("20-", "20-"), (" 1, 3 - 7,20- ", "1,3-7,20-"), ("4-4", "4-4")]
)
def test_numbers_and_ranges(text: str, pages: str) -> None:
    assert parse_page_list(text) == pages


@pytest.mark.parametrize("text", ["", "0", "-", "-3", "1,,2", "1-2-3", "a", "1;2", "١", "1.5", "+1", "1," * 600 + "1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_page_list(text)


def test_a_range_the_wrong_way_round_is_turned_for_people() -> None:
    with pytest.raises(ValueError, match="write 3-7"):
        parse_page_list("7-3")
