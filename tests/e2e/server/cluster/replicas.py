"""Two servers on one database, killed and started again while they are taught, and what must be so afterwards."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.processes import ServerProcess, start_server
from tests.e2e.server.cluster.teachers import Teachers, ask
from tests.support.postgres import PostgresServer, fetch_all

_BETWEEN = 12  # acknowledged calls between two kills
_EVENTS = "SELECT request_id, sample_id, revision FROM haleganada.events ORDER BY revision"


class Replicas:
    """The servers, each in a process of its own."""

    def __init__(self, folder: Path, url: str, places: Sequence[str] = ("127.0.0.1:0", "127.0.0.1:0")) -> None:
        """Start them. folder: for their data directories. url: of the database. places: where each listens, also when
        it is started again.
        """
        self._folder, self._url, self._places = folder, url, places
        self._running = [self._start(number) for number in range(len(places))]

    def addresses(self) -> list[str]:
        """Where they listen now."""
        return [server.address for server in self._running]

    def kill_and_restart(self, number: int) -> None:
        """Kill one of them, and start it again, at another port unless it has a fixed one."""
        self._running[number].kill()
        self._running[number] = self._start(number)

    def stop(self) -> None:
        """Kill all."""
        for server in self._running:
            server.kill()

    def _start(self, number: int) -> ServerProcess:
        folder, place = self._folder / f"data-{number}", self._places[number]
        return start_server(folder, "--store", self._url, listen=place)


def require_once(url: str, acknowledged: Mapping[str, tuple[int, int]]) -> int:
    """Fail unless the database has exactly what was acknowledged, once: sample ids and revisions by request_id. Return
    how much that is.
    """
    events = fetch_all(url, _EVENTS)
    assert [revision for _, _, revision in events] == list(range(1, len(events) + 1))
    assert {name: (sample_id, revision) for name, sample_id, revision in events} == acknowledged
    return len(events)


def survive_kills(postgres: PostgresServer, folder: Path, kills: int, restart_every: int, seed: int = 0) -> Teachers:
    """Kill servers under four teachers, and instead of every so many-th kill end the database. Return the teachers;
    fail if anything that was acknowledged is lost or was done twice, or the servers answer differently.
    """
    url, chance = postgres.make_database(f"shared-{seed}"), random.Random(seed)
    replicas = Replicas(folder, url)
    with ExitStack() as stack:
        stack.callback(replicas.stop)
        with Teachers(replicas.addresses) as teachers:
            for kill in range(1, kills + 1):
                teachers.wait_for_more(_BETWEEN)
                if kill % restart_every:
                    replicas.kill_and_restart(chance.randrange(2))
                else:
                    postgres.stop()
                    postgres.start()
            teachers.wait_for_more(_BETWEEN)
        acknowledged = {name: (taught.sample_id, taught.revision) for name, taught in teachers.taught.items()}
        revision = require_once(url, acknowledged)
        one, other = (ask(address, revision) for address in replicas.addresses())
        assert one == other
    return teachers
