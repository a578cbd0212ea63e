"""Teaching in PostgreSQL beside SQLite, in turns; asking through Envoy; how soon a change is known at the other server;
what many workspaces take; kills of servers and of the database.

python -m tests.bench.cluster [--rounds N] [--workspaces N] [--kills N] [--folder DIR]. Prints the table of
docs/operating/scale.md. The database and the data directories are on the disk of DIR, so that each commit is synced.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from haleganada_client import HaleganadaClient

from tests.bench.table import Table, describe_quantiles, get_quantile
from tests.e2e.deploy.envoy import envoy_before, is_ready
from tests.e2e.processes import ServerProcess, fresh_server, zigzag
from tests.e2e.server.cluster.replicas import survive_kills
from tests.support.network.ports import find_free_port
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.waiting import wait_until

from .spread import measure_spread

ROUNDS = 20
WORKSPACES = 1_000
_CALLS = 20  # of each kind in a round
_SAMPLES_BEFORE = 50
_PAUSE_S = 0.001  # between two looks at the other server
_RESTART_EVERY = 11  # one kill in so many is of the database


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--workspaces", type=int, default=WORKSPACES)
    parser.add_argument("--kills", type=int, default=330)
    parser.add_argument("--folder", type=Path, help="on whose disk everything is; default: that of temporary files")
    arguments = parser.parse_args()
    table = Table("Two servers on one PostgreSQL")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name, postgres_server(Path(name)) as postgres:
        if arguments.rounds:
            measure_calls(table, Path(name), postgres, arguments.rounds)
        if arguments.workspaces:
            measure_spread(table, Path(name), postgres, arguments.workspaces)
        measure_kills(table, Path(name), postgres, arguments.kills)
    print(f"\n{table.markdown()}")


def measure_calls(table: Table, folder: Path, postgres: PostgresServer, rounds: int) -> None:
    """Teach and ask a server of each kind, in turns, so that both have the same hour of the machine."""
    url, port = postgres.make_database("calls"), find_free_port()
    with ExitStack() as stack:

        def start(host: int, *options: str) -> ServerProcess:
            listen = f"127.0.0.{host}:{port}"
            return stack.enter_context(fresh_server(folder / f"server-{host}", *options, listen=listen))

        servers = [start(2), start(3, "--store", url), start(4, "--store", url)]
        front = stack.enter_context(envoy_before(folder, [server.address for server in servers[1:]]))
        addresses = [*(server.address for server in servers), front]
        alone, one, other, proxied = (stack.enter_context(HaleganadaClient(address)) for address in addresses)
        wait_until(lambda: is_ready(proxied))
        for number in range(_SAMPLES_BEFORE):
            for client in (alone, one):
                client.train(zigzag(number % 10, number), f"L{number % 10}")
        times: dict[str, list[float]] = {
            "alone": [],
            "one": [],
            "ask alone": [],
            "ask one": [],
            "ask proxied": [],
            "seen": [],
        }
        for _ in range(rounds):
            for name, client in (("alone", alone), ("one", one)):
                times[name] += [time_train(client, number) for number in range(_CALLS)]
                times[f"ask {name}"] += [time_predict(client, number) for number in range(_CALLS)]
            times["ask proxied"] += [time_predict(proxied, number) for number in range(_CALLS)]
            times["seen"] += [time_until_seen(one, other, number) for number in range(_CALLS)]
    ratio = get_quantile(times["one"], 0.5) / get_quantile(times["alone"], 0.5)
    sqlite = f"{describe_quantiles(times['alone'])} in SQLite"
    table.add("Train, durable, p50, p99", describe_quantiles(times["one"]), "≤ 2.5 × the p50 of SQLite", sqlite)
    table.add("the same, beside SQLite", f"{ratio:.1f} ×", "≤ 2.5 ×", "1")
    beside = f"{describe_quantiles(times['ask alone'])} of a server alone"
    table.add("Predict, p50, p99", describe_quantiles(times["ask one"]), "", beside)
    longer = get_quantile(times["ask proxied"], 0.5) - get_quantile(times["ask alone"], 0.5)
    target = f"p50 ≤ 1 ms longer: {1000 * longer:+.1f} ms"
    table.add("Predict through Envoy, p50, p99", describe_quantiles(times["ask proxied"]), target, beside)
    table.add("a change is known at the other server, p50, p99", describe_quantiles(times["seen"]), "p99 ≤ 50 ms", "")


def time_train(client: HaleganadaClient, number: int) -> float:
    """Return the seconds of a Train."""
    begun_s = time.perf_counter()
    client.train(zigzag(number % 10, number), f"L{number % 10}")
    return time.perf_counter() - begun_s


def time_predict(client: HaleganadaClient, number: int) -> float:
    """Return the seconds of a Predict."""
    begun_s = time.perf_counter()
    client.predict(zigzag(number % 10, number + 3))
    return time.perf_counter() - begun_s


def time_until_seen(one: HaleganadaClient, other: HaleganadaClient, number: int) -> float:
    """Return the seconds from a Train's answer until another server answers with its revision, without being asked for
    it.
    """
    revision = one.train(zigzag(number % 10, number), f"L{number % 10}").revision
    begun_s = time.perf_counter()
    while other.predict(zigzag(1, 2)).revision < revision:
        time.sleep(_PAUSE_S)
    return time.perf_counter() - begun_s


def measure_kills(table: Table, folder: Path, postgres: PostgresServer, kills: int) -> None:
    """Kill servers and the database under teachers; survive_kills fails if anything is lost."""
    if not kills:
        return
    teachers = survive_kills(postgres, folder / "killed", kills, _RESTART_EVERY)
    databases = kills // _RESTART_EVERY
    what = f"{kills - databases} kills of servers and {databases} of PostgreSQL under four teachers"
    found = f"0 of {len(teachers.taught):,} acknowledged lost or doubled; {teachers.repeated:,} calls repeated"
    table.add(what, found, "0", "")


if __name__ == "__main__":
    main()
