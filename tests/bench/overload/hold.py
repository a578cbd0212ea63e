"""Callers who hold on, and what everybody else notices: python -m tests.bench.overload.hold [--short].

Idle calls of each kind, a flood at twice the capacity, 500 slow connections to the page, large pictures in small files.
Prints the tables of docs/operating/reliability.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from haleganada_client import HaleganadaClient

from tests.bench.drawings import LABELS, strokes
from tests.bench.overload import bombs
from tests.bench.overload.flood import read_outcomes, start_flood
from tests.bench.table import Table, describe_quantiles, format_quantile
from tests.e2e.processes import ServerProcess, fresh_server
from tests.e2e.server.load.idle_calls import KINDS, idle_calls
from tests.unit.clients.web.slow_connections import count_open, get, slow_connections

IDLE_CALLS, SLOW_CONNECTIONS, CAPACITY_CLIENTS, HEALTH_RATE = 64, 500, 16, 50.0


def main() -> None:
    short = "--short" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder), "--idle-limit", "600") as running:
        with running.client() as client:
            for number in range(40):
                client.train(strokes(LABELS[number % 10], number), LABELS[number % 10])
        tables = [
            measure_idle_calls(running, asked=10 if short else 50),
            measure_flood(running, seconds=3.0 if short else 10.0),
            measure_slow_connections(running),
        ]
    if not short:
        with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder)) as running:
            tables.append(bombs.make_table(bombs.measure_bombs(running)))
    print("\n" + "\n\n".join(table.markdown() for table in tables))


def measure_idle_calls(running: ServerProcess, asked: int) -> Table:
    """Hold 64 calls of each kind open on one connection, and ask on another."""
    table = Table(
        f"{IDLE_CALLS} idle calls on one connection", ("what idles", "Predict p50, slowest", "health p50, slowest")
    )
    with HaleganadaClient(running.address, timeout_s=60) as client:
        table.add("nothing", *_ask(client, asked))
        for kind in KINDS:
            with grpc.insecure_channel(running.address) as channel, idle_calls(channel, kind, IDLE_CALLS):
                time.sleep(0.5)
                table.add(kind, *_ask(client, asked))
    return table


def measure_flood(running: ServerProcess, seconds: float) -> Table:
    """Find out how many predictions the server makes, then ask for twice as many, and for its health meanwhile."""
    load = [sys.executable, "-m", "tests.bench.load", running.address, str(CAPACITY_CLIENTS), str(seconds), "predict"]
    capacity = int(subprocess.run(load, capture_output=True, text=True, check=True).stdout) / seconds
    flood = start_flood(running.address, "predict", 2 * capacity, seconds)
    health = read_outcomes(start_flood(running.address, "health", HEALTH_RATE, max(1.0, seconds - 2)))
    found = read_outcomes(flood)
    assert not found.others and not health.others and not health.refused, (found.others, health)
    table = Table(f"A flood of {2 * capacity:.0f} predictions a second, twice the capacity", ("what", "measured"))
    table.add("answered a second (alone)", f"{len(found.answered) / seconds:.0f} ({capacity:.0f})")
    table.add("refused a second", f"{len(found.refused) / seconds:.0f}")
    table.add("refusal, p50, p99", describe_quantiles(found.refused))
    table.add("answer, p50, p99", describe_quantiles(found.answered))
    table.add("health, p50, p99", describe_quantiles(health.answered))
    return table


def measure_slow_connections(running: ServerProcess) -> Table:
    """Open 500 connections to the page that are silent or trickle, and load the page beside them."""
    table = Table(f"{SLOW_CONNECTIONS} silent or trickling connections to the page", ("what", "measured"))
    with _page(running) as address:
        table.add("the page, alone", f"{1000 * get(address):.0f} ms")
        with slow_connections(address, SLOW_CONNECTIONS) as slow:
            table.add("the page, beside them", f"{1000 * get(address):.0f} ms")
            started = time.monotonic()
            while count_open(slow):
                time.sleep(0.2)
            table.add("until all of them were dropped", f"{time.monotonic() - started:.0f} s")
    return table


@contextmanager
def _page(running: ServerProcess) -> Iterator[tuple[str, int]]:
    """Run the page's own process; yield its address."""
    line = [sys.executable, "-m", "haleganada_client.cli", "--server", running.address, "web", "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            printed = process.stdout.readline()
            yield ("127.0.0.1", int(printed.partition("http://")[2].partition(" ")[0].rpartition(":")[2]))
        finally:
            process.terminate()


def _ask(client: HaleganadaClient, times: int) -> tuple[str, str]:
    predicted = [_time(lambda: client.predict(strokes(LABELS[0], 99))) for _ in range(times)]
    checked = [_time(client.health) for _ in range(times)]
    return _describe(predicted), _describe(checked)


def _time(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _describe(seconds: list[float]) -> str:
    return f"{format_quantile(seconds, 0.5)}, {1000 * max(seconds):.0f} ms"


if __name__ == "__main__":
    main()
