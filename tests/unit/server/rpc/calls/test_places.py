"""No caller can take all places."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.rpc.calls.places import Places, Shares


def fill(places: Places, make_peer: Callable[[int], str], caller: str = "anna") -> int:
    """Take places until there is none; return how many."""
    for number in range(100):
        try:
            places.take(caller, make_peer(number))
        except Exhausted as error:
            assert error.reason is Reason.TOO_MANY_STREAMS and "close one" in error.message
            return number
    return 100


def make(total: int, share: float = 0.25) -> Places:
    return Places(Shares(total, share, "too many streams; close one", Reason.TOO_MANY_STREAMS))


def test_a_connection_a_caller_and_all() -> None:
    places = make(16)
    assert fill(places, lambda _: "ipv4:10.0.0.1:1") == 4
    assert fill(places, lambda number: f"ipv4:10.0.0.1:{number + 2}") == 8
    assert fill(places, lambda number: f"ipv6:%5B::1%5D:{number}", "ben") == 4


def test_places_come_back() -> None:
    places = make(4)
    for _ in range(10):
        places.take("anna", "ipv4:10.0.0.1:1")
        places.give_back("anna", "ipv4:10.0.0.1:1")


def test_callers_behind_one_connection_do_not_share_its_part() -> None:
    places = make(16)
    for caller in ("anna", "ben", "cara", "dora"):
        assert fill(places, lambda _: "ipv4:10.0.0.1:1", caller) == 4


@pytest.mark.parametrize(("total", "share", "expected"), [(1, 0.25, 1), (3, 1.0, 3), (2, 0.25, 1)])
def test_few_places(total: int, share: float, expected: int) -> None:
    assert fill(make(total, share), lambda _: "ipv4:10.0.0.1:1") == expected
