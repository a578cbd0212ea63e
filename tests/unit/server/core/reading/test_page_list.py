"""Lists of pages, as people write them."""

from __future__ import annotations

import pytest
from haleganada_server.core.errors import InvalidInput, NotFound
from haleganada_server.core.reading.page_list import parse_pages
from hypothesis import given
from hypothesis import strategies as st

CHOSEN = {
    "": [1, 2, 3, 4, 5],
    " ": [1, 2, 3, 4, 5],
    "1-": [1, 2, 3, 4, 5],
    "3": [3],
    "5,1": [1, 5],
    "2-3, 3-4,3": [2, 3, 4],
    "4-": [4, 5],
    "4 - 900": [4, 5],
    "1,3-7": [1, 3, 4, 5],
    "5-5": [5],
}


@pytest.mark.parametrize("text", CHOSEN)
def test_pages_are_chosen_once_and_in_order(text: str) -> None:
    assert parse_pages(text).choose(5) == CHOSEN[text]


@pytest.mark.parametrize(
    "text", ["0", "-3", "3-2", "a", "1;2", "1,", ",", "1-2-3", "1.5", "٣", "9" * 10, "1," * 600 + "1"]
)
def test_what_is_no_list_of_pages(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_pages(text)
    assert caught.value.field == "pages"


@pytest.mark.parametrize("text", ["6", "6-", "1,6-8"])
def test_pages_that_are_not_there(text: str) -> None:
    with pytest.raises(NotFound, match="the document has 5 pages"):
        parse_pages(text).choose(5)


ranges = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), min_size=1)


@given(ranges, st.integers(30, 60))
def test_any_list(parts: list[tuple[int, int]], pages_total: int) -> None:
    expected = {page for first, more in parts for page in range(first, min(first + more, pages_total) + 1)}
    text = ",".join(f"{first}-{first + more}" if more else str(first) for first, more in parts)
    assert parse_pages(text).choose(pages_total) == sorted(expected)
