"""Limits as administrators give them."""

from __future__ import annotations

import click
import pytest
from haleganada_server.core.shares.limits import BOX, LAPTOP, limit_names
from haleganada_server.share_options import LimitSetting, make_share_limits


def parse(text: str) -> tuple[str, float | None]:
    found: tuple[str, float | None] = LimitSetting().convert(text, None, None)
    return found


def test_the_profile_follows_the_address() -> None:
    assert make_share_limits(None, [], is_local=True) is not BOX
    assert make_share_limits(None, [], is_local=True) == LAPTOP
    assert make_share_limits(None, [], is_local=False) == make_share_limits("box", [], is_local=True) == BOX


def test_a_box_limits_everything() -> None:
    assert all(getattr(BOX, field) is not None for field in limit_names().values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("calls-per-second=0.5", ("calls_per_second", 0.5)),
        ("workspace-samples=1000", ("workspace_samples", 1000)),
        ("workspace-bytes=2M", ("workspace_bytes", 2 * 2**20)),
        ("workspaces=none", ("workspaces", None)),
    ],
)
def test_settings(text: str, expected: tuple[str, float | None]) -> None:
    assert parse(text) == expected
    assert getattr(make_share_limits("box", [parse(text)], is_local=True), expected[0]) == expected[1]


@pytest.mark.parametrize(
    "text", ["workspaces", "workspaces=", "workspaces=0", "workspaces=1.5", "calls-per-second=nan"]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(click.BadParameter, match="above 0"):
        parse(text)


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(click.BadParameter, match="workspace-labels"):
        parse("walls=3")
