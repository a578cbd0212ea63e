"""What many workspaces take of two servers behind Envoy, beside one server that has half of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from haleganada_client import HaleganadaClient, Lesson

from tests.bench.memory import read_memory
from tests.bench.table import Table
from tests.e2e.deploy.envoy import envoy_before, is_ready
from tests.e2e.processes import ServerProcess, fresh_server, zigzag
from tests.support.network.ports import find_free_port
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

_SAMPLES = 20
_LABELS = 10
_MOST = 1.2


def measure_spread(table: Table, folder: Path, postgres: PostgresServer, workspaces: int) -> None:
    """Teach workspaces at one server, then ask each at two others through Envoy, and half of them at one alone."""
    url = postgres.make_database("many")
    names = [f"workspace {number}" for number in range(workspaces)]
    with fresh_server(folder / "teaching", "--store", url) as server, server.client() as client:
        teach(client, names)
    with ExitStack() as stack:
        port = find_free_port()
        pair = [
            stack.enter_context(fresh_server(folder / f"of-{host}", "--store", url, listen=f"127.0.0.{host}:{port}"))
            for host in (2, 3)
        ]
        front = stack.enter_context(envoy_before(folder, [server.address for server in pair]))
        client = stack.enter_context(HaleganadaClient(front))
        wait_until(lambda: is_ready(client))
        ask(client, names)
        both, shares = [read_memory(server.process.pid) for server in pair], [count_open(server) for server in pair]
    with fresh_server(folder / "alone", "--store", url) as server, server.client() as client:
        ask(client, names[::2])
        alone = read_memory(server.process.pid)
    what = f"{workspaces:,} workspaces of {_SAMPLES} samples over two servers, memory of each"
    found = " and ".join(f"{size / 1e6:.0f} MB ({share} workspaces)" for size, share in zip(both, shares, strict=True))
    beside = f"{alone / 1e6:.0f} MB of one server with {len(names[::2])}"
    table.add(what, found, f"≤ {_MOST} × one with half of them: {max(both) / alone:.2f}", beside)


def teach(client: HaleganadaClient, names: list[str]) -> None:
    """Make the workspaces."""
    for name in names:
        client.create_workspace(name)
        lessons = [Lesson(zigzag(number % _LABELS, number), f"L{number % _LABELS}") for number in range(_SAMPLES)]
        client.train_batch(lessons, workspace=name)


def ask(client: HaleganadaClient, names: list[str]) -> None:
    """Recognize a drawing in each workspace."""
    for name in names:
        client.predict(zigzag(1), workspace=name)


def count_open(server: ServerProcess) -> int:
    """Return how many workspaces beside “default” a server has in memory."""
    with server.client() as client:
        return client.server_status().workspaces_open - 1
