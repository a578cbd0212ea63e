"""Servers that share a database, killed while they are taught, and the database, too: what was acknowledged is there,
once, and all servers answer the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.processes import ServerProcess, start_server
from tests.e2e.server.cluster.teachers import Teachers, ask
from tests.postgres import PostgresServer, fetch_all, missing_postgres, postgres_server
from tests.slow import slow

_BETWEEN = 12  # acknowledged calls between two kills


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that may be killed."""
    if problem := missing_postgres():
        pytest.skip(problem)
    with postgres_server() as server:
        yield server


class Replicas:
    """Two servers on one database, each in a process of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self._running = [self._start(number) for number in range(2)]

    def addresses(self) -> list[str]:
        return [server.address for server in self._running]

    def kill_and_restart(self, number: int) -> None:
        self._running[number].kill()
        self._running[number] = self._start(number)

    def stop(self) -> None:
        for server in self._running:
            server.kill()

    def _start(self, number: int) -> ServerProcess:
        return start_server(self._folder / f"data-{number}", "--store", self._url)


@pytest.mark.parametrize("kills", [2, *slow(30)])
def test_nothing_is_lost_or_done_twice(own_postgres: PostgresServer, tmp_path: Path, kills: int) -> None:
    url, chance = own_postgres.make_database("shared"), random.Random(kills)
    replicas = Replicas(tmp_path, url)
    with ExitStack() as stack:
        stack.callback(replicas.stop)
        with Teachers(replicas.addresses) as teachers:
            for kill in range(kills):
                teachers.wait_for_more(_BETWEEN)
                if kill % 2:
                    own_postgres.stop()
                    own_postgres.start()
                else:
                    replicas.kill_and_restart(chance.randrange(2))
            teachers.wait_for_more(_BETWEEN)
        events = fetch_all(url, "SELECT request_id, sample_id, revision FROM haleganada.events ORDER BY revision")
        assert [revision for _, _, revision in events] == list(range(1, len(events) + 1))
        acknowledged = {name: (taught.sample_id, taught.revision) for name, taught in teachers.taught.items()}
        assert {name: (sample_id, revision) for name, sample_id, revision in events} == acknowledged
        one, other = (ask(address, len(events)) for address in replicas.addresses())
        assert one == other
