"""Two servers on one database, killed and started again while they are taught, and what must be so afterwards."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.processes import ServerProcess, start_server
from tests.e2e.server.cluster.teachers import Teachers, ask
from tests.support.postgres import PostgresServer, fetch_all

_BETWEEN = 12  # acknowledged calls between two kills
_EVENTS = "SELECT request_id, sample_id, revision FROM haleganada.events ORDER BY revision"


class Replicas:
    """The servers, each in a process of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        """Start them. folder: for their data directories. url: of the database."""
        self._folder, self._url = folder, url
        self._running = [self._start(number) for number in range(2)]

    def addresses(self) -> list[str]:
        """Where they listen now."""
        return [server.address for server in self._running]

    def kill_and_restart(self, number: int) -> None:
        """Kill one of them, and start it again at another port."""
        self._running[number].kill()
        self._running[number] = self._start(number)

    def stop(self) -> None:
        """Kill both."""
        for server in self._running:
            server.kill()

    def _start(self, number: int) -> ServerProcess:
        return start_server(self._folder / f"data-{number}", "--store", self._url)


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
        events = fetch_all(url, _EVENTS)
        assert [revision for _, _, revision in events] == list(range(1, len(events) + 1))
        acknowledged = {name: (taught.sample_id, taught.revision) for name, taught in teachers.taught.items()}
        assert {name: (sample_id, revision) for name, sample_id, revision in events} == acknowledged
        one, other = (ask(address, len(events)) for address in replicas.addresses())
        assert one == other
    return teachers
