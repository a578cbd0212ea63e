"""Outcomes: errors keep their places in a batch, and only errors of one item become outcomes."""

from __future__ import annotations

import gc
import weakref

import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Exhausted, InvalidInput, NotFound
from haleganada_server.core.outcomes import Outcome, map_ok, map_ok_batch, ok_values, raise_if_error, zip_ok

BROKEN = InvalidInput("glyph", "is missing")


def halve(number: int) -> int:
    if number % 2:
        raise InvalidInput("number", "is odd")
    return number // 2


def test_a_value_is_returned_and_an_error_raised() -> None:
    assert raise_if_error(3) == 3
    with pytest.raises(InvalidInput, match="is missing"):
        raise_if_error(BROKEN)


def test_map_ok_passes_errors_through_and_turns_raised_ones_into_outcomes() -> None:
    outcomes: list[Outcome[int]] = [8, BROKEN, 3]
    half, passed, odd = map_ok(halve, outcomes)
    assert half == 4 and passed is BROKEN and isinstance(odd, InvalidInput) and odd.field == "number"


class Picture:
    """Stands for a decoded picture."""


def test_an_error_that_is_kept_keeps_nothing_alive() -> None:
    seen: list[weakref.ref[Picture]] = []

    def refuse(_: int) -> None:
        picture = Picture()
        seen.append(weakref.ref(picture))
        try:
            raise ValueError("the decoder's own words")
        except ValueError as error:
            raise InvalidInput("glyph", "is damaged") from error

    gc.disable()
    try:
        (kept,) = map_ok(refuse, [1])
        assert isinstance(kept, InvalidInput) and seen[0]() is None
        with pytest.raises(InvalidInput):
            raise_if_error(kept)
        gone = weakref.ref(kept)
        del kept
        assert gone() is None, "a cycle keeps the error"
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "error", [Exhausted("no room", Reason.QUEUE_FULL), DataLoss("a file is damaged"), ZeroDivisionError()]
)
def test_errors_of_more_than_one_item_are_raised(error: Exception) -> None:
    def fail(_: int) -> int:
        raise error

    with pytest.raises(type(error)):
        map_ok(fail, [1])


def test_map_ok_batch_sees_only_values_and_keeps_the_order() -> None:
    received: list[list[int]] = []
    other = NotFound("sample", "7")

    def negate(values: list[int]) -> list[Outcome[int]]:
        received.append(values)
        return [other if value == 2 else -value for value in values]

    outcomes: list[Outcome[int]] = [1, BROKEN, 2, 3]
    assert map_ok_batch(negate, outcomes) == [-1, BROKEN, other, -3]
    assert received == [[1, 2, 3]]


def test_zip_ok_and_ok_values() -> None:
    pairs = zip_ok([1, BROKEN, 3], ["a", "b", NotFound("sample", "3")])
    assert pairs[:2] == [(1, "a"), BROKEN] and isinstance(pairs[2], NotFound)
    assert ok_values(pairs) == [(1, "a")]
    with pytest.raises(ValueError, match="shorter"):
        zip_ok([1], [])
