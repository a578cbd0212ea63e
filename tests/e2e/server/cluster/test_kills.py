"""Servers that share a database, killed while they are taught, and the database, too: what was acknowledged is there,
once, and all servers answer the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.server.cluster.replicas import survive_kills
from tests.support.postgres import PostgresServer, missing_postgres, postgres_server
from tests.support.slow import slow


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that may be killed."""
    if problem := missing_postgres():
        pytest.skip(problem)
    with postgres_server() as server:
        yield server


@pytest.mark.parametrize("kills", [2, *slow(30)])
def test_nothing_is_lost_or_done_twice(own_postgres: PostgresServer, tmp_path: Path, kills: int) -> None:
    assert survive_kills(own_postgres, tmp_path, kills, restart_every=2).repeated > 0
