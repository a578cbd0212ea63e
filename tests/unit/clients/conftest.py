"""Both kinds of client for one test body."""

from __future__ import annotations

import pytest

from tests.unit.clients import scripted
from tests.unit.clients.driven import KINDS
from tests.unit.clients.reading import scripted_reading


@pytest.fixture(params=[*KINDS.values()], ids=[*KINDS])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes clients of scripted servers blocking ones, then ones of asyncio."""
    monkeypatch.setattr(scripted, "make_client", request.param)
    monkeypatch.setattr(scripted_reading, "make_client", request.param)
