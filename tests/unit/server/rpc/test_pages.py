"""Page tokens: there and back, of use for their own list only, and nothing else passes as one."""

from __future__ import annotations

import base64
import json

import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.rpc import pages
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(1, 2**63 - 1))
def test_numbers_come_back(position: int) -> None:
    assert pages.decode("samples", pages.encode("samples", position), 0) == position


@given(st.text(min_size=1))
def test_names_come_back(position: str) -> None:
    position = position.encode("utf-8", "replace").decode()
    token = pages.encode("workspaces", position)
    assert token.isascii() and pages.decode("workspaces", token, "") == position


def test_no_token_is_the_first_page() -> None:
    assert pages.decode("samples", "", 0) == 0
    assert pages.encode("samples", 0) == "" and pages.encode("workspaces", "") == ""


@given(st.text(min_size=1))
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput):
        pages.decode("samples", token, 0)


FORGED = [
    ["samples", -1],
    ["samples", 2**63],
    ["samples", True],
    ["samples", "5"],
    ["samples"],
    {"samples": 1},
    7,
    None,
]


@pytest.mark.parametrize("content", [*FORGED, ["workspaces", 5]], ids=json.dumps)
def test_forged_tokens_are_refused(content: object) -> None:
    token = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    with pytest.raises(InvalidInput):
        pages.decode("samples", token, 0)
