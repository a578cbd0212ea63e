"""Where many servers on one database bend: what PostgreSQL needs for each server, each change and each notice, and what
follows for 10, 100 and 1,000 servers; a hot workspace; many workspaces.

python -m tests.bench.cluster.bends [--folder DIR]. Two servers are real; those that only hear of changes are feeds of
real servers, without the rest of them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from haleganada_client import HaleganadaClient
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.feed import Feed

from tests.bench.memory import read_memory
from tests.bench.table import Table
from tests.e2e.processes import children_of, fresh_server, zigzag
from tests.support.postgres import PostgresServer, execute, postgres_server

_LOADED = 50  # workspaces in the memory of each server
_FEEDS, _NOTICES_PER_S = 40, 25
_WATCH_S, _TEACH_S = 8.0, 6.0
_TEACHERS = 8
_MANY = 100_000
_TRAINS_PER_SERVER = 1.0  # each second, which is what some hundred people at work teach
_TICKS = os.sysconf("SC_CLK_TCK")
_ADD = (
    "INSERT INTO haleganada.workspaces SELECT 'many ' || n, 1000000 + n, created_us, 0, 0, 0, 0, 0, false, digest "
    f"FROM haleganada.workspaces, generate_series(1, {_MANY}) n WHERE name = 'default'"
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="on whose disk everything is; default: that of temporary files")
    with tempfile.TemporaryDirectory(dir=parser.parse_args().folder) as name, postgres_server(Path(name)) as postgres:
        watch = Watch(postgres)
        servers = Table("Two servers and their PostgreSQL", ("what", "measured"))
        idle_s, train_s = measure_servers(servers, watch, Path(name), postgres)
        notice_s = measure_notices(servers, watch, postgres)
        measure_many(servers, Path(name), postgres)
    print(f"\n{servers.markdown()}\n\n{extrapolate(idle_s, train_s, notice_s).markdown()}")


class Watch:
    """Measures the processor time of PostgreSQL."""

    def __init__(self, postgres: PostgresServer) -> None:
        self._first = int((postgres.folder / "data/postmaster.pid").read_text().split()[0])

    def measure(self, work: Callable[[], object]) -> tuple[float, float]:
        """Return the seconds of processor time that all its processes used while the work was done, and how long that
        took. Processes that end meanwhile do not count.
        """
        before, begun_s = self._read(), time.perf_counter()
        work()
        took_s = time.perf_counter() - begun_s
        return sum(seconds - before.get(pid, 0.0) for pid, seconds in self._read().items()), took_s

    def _read(self) -> dict[int, float]:
        found = {}
        for pid in (self._first, *children_of(self._first)):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[pid] = (int(fields[11]) + int(fields[12])) / _TICKS
        return found


def measure_servers(table: Table, watch: Watch, folder: Path, postgres: PostgresServer) -> tuple[float, float]:
    """Return PostgreSQL's seconds for a second of an idle server, and for a Train."""
    url = postgres.make_database("servers")
    with ExitStack() as stack:
        pair = [stack.enter_context(fresh_server(folder / name, "--store", url)) for name in ("one", "other")]
        one, other = (stack.enter_context(server.client()) for server in pair)
        names = [f"w{number}" for number in range(_LOADED)]
        for name in names:
            one.create_workspace(name)
            for client in (one, other):
                client.predict(zigzag(1), workspace=name)
        used_s, took_s = watch.measure(lambda: time.sleep(_WATCH_S))
        idle_s = used_s / took_s / len(pair)
        table.add(f"PostgreSQL for an idle server with {_LOADED} workspaces", f"{1000 * idle_s:.1f} ms a second")
        taught: list[int] = []
        used_s, took_s = watch.measure(lambda: taught.append(teach((one, other), names)))
        train_s = (used_s - took_s * idle_s * len(pair)) / taught[0]
        table.add("PostgreSQL for a Train, with the other server following", f"{1000 * train_s:.2f} ms")
        table.add(f"{_TEACHERS} people teach {_LOADED} workspaces at two servers", f"{taught[0] / took_s:.0f} a second")
        table.add("all teach one workspace at one server", f"{teach((one,), names[:1]) / _TEACH_S:.0f} a second")
        table.add("all teach one workspace at two servers", f"{teach((one, other), names[:1]) / _TEACH_S:.0f} a second")
    return idle_s, train_s


def teach(clients: Sequence[HaleganadaClient], names: Sequence[str]) -> int:
    """Let several teach for a while, and return how many samples were acknowledged."""
    counts, end_s = [0] * _TEACHERS, time.monotonic() + _TEACH_S

    def work(teacher: int) -> None:
        while time.monotonic() < end_s:
            name = names[(teacher + counts[teacher] * _TEACHERS) % len(names)]
            client = clients[teacher % len(clients)]
            client.train(zigzag(teacher, counts[teacher]), f"L{teacher}", workspace=name)
            counts[teacher] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(_TEACHERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def measure_notices(table: Table, watch: Watch, postgres: PostgresServer) -> float:
    """Return PostgreSQL's seconds for telling one server of one change."""
    url, heard = postgres.make_database("notices"), [0]
    with ExitStack() as stack:

        def start() -> Feed:
            database = Database(url)
            stack.callback(database.close)
            feed = Feed(database, "")
            stack.callback(feed.close)
            feed.start(lambda _name: heard.__setitem__(0, heard[0] + 1), dict)
            return feed

        feeds = [start() for _ in range(_FEEDS)]
        quiet_s, _ = watch.measure(lambda: time.sleep(_WATCH_S))
        heard[0] = 0
        used_s, _ = watch.measure(lambda: tell(feeds[0]))
        notice_s = (used_s - quiet_s) / heard[0]
        table.add(f"PostgreSQL for a notice to one of {_FEEDS} servers", f"{1e6 * notice_s:.0f} µs")
    return notice_s


def tell(feed: Feed) -> None:
    """Tell of changes at a steady rate."""
    for number in range(int(_WATCH_S * _NOTICES_PER_S)):
        feed.tell(f"w{number % _LOADED}")
        time.sleep(1 / _NOTICES_PER_S)


def measure_many(table: Table, folder: Path, postgres: PostgresServer) -> None:
    """Start a server on a database with many workspaces that nobody uses."""
    url = postgres.make_database("many")
    with fresh_server(folder / "many", "--store", url) as server:
        few = read_memory(server.process.pid)
    execute(url, _ADD)
    begun_s = time.perf_counter()
    with fresh_server(folder / "many", "--store", url) as server, server.client() as client:
        client.predict(zigzag(1))
        table.add(f"start with {_MANY:,} workspaces, to the first answer", f"{time.perf_counter() - begun_s:.1f} s")
        kilobytes = (read_memory(server.process.pid) - few) / _MANY / 1000
        table.add("memory of a server for each workspace that nobody uses", f"{kilobytes:.2f} KB")
        time.sleep(_WATCH_S)
        kilobytes = (read_memory(server.process.pid) - few) / _MANY / 1000
        table.add(f"the same {_WATCH_S:.0f} s later, while it looks at all of them", f"{kilobytes:.2f} KB")


def extrapolate(idle_s: float, train_s: float, notice_s: float) -> Table:
    """Return what follows for many servers, each of which is taught once a second."""
    title = f"What PostgreSQL needs, each server with {_TRAINS_PER_SERVER:.0f} Train a second"
    table = Table(title, ("servers", "looks", "changes", "notices", "cores in all", "connections"))
    for count in (10, 100, 1_000):
        trains = count * _TRAINS_PER_SERVER
        parts = count * idle_s, trains * train_s, count * trains * notice_s
        shown = (f"{part:.2f}" for part in (*parts, sum(parts)))
        table.add(f"{count:,}", *shown, f"{3 * count:,} to {18 * count:,}")
    return table


if __name__ == "__main__":
    main()
