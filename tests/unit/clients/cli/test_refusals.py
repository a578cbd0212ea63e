"""Refusals in groups of the same reason."""

from __future__ import annotations

from haleganada_client.cli.output.refusals import group_refused


def test_reasons_are_said_once_in_their_order() -> None:
    refused = [("a.png", "is damaged"), ("b.png", "is empty"), *((f"{i}.png", "is damaged") for i in range(1, 1001))]
    assert group_refused(refused) == ["1,001 × is damaged: a.png, 1.png, 2.png and 998 more", "b.png: is empty"]
    assert group_refused([("a", "x"), ("b", "x")]) == ["2 × x: a, b"]
    assert group_refused([]) == []
