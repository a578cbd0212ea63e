"""Latency, throughput, start-up, memory and sizes: python -m tests.bench.speed [--quick].

The server runs in a process of its own, warm, on loopback. Baselines: an empty call (what gRPC alone costs), and one
synced SQLite commit (what the disk alone costs).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient

from tests.bench.anatomy import steps_of_predict
from tests.bench.drawings import LABELS, canvas_png, strokes
from tests.bench.footprint import environment_megabytes
from tests.bench.table import Table
from tests.e2e.processes import ServerProcess, encoder_workers, server

CALLS = 400
CLIENTS = 32
SECONDS = 10.0
MANY = 10_000


def main() -> None:
    quick = "--quick" in sys.argv
    table = Table("Speed and size")
    with tempfile.TemporaryDirectory() as folder:
        with server(Path(folder) / "latency") as running, running.client() as client:
            _latencies(table, client, Path(folder))
            _throughput(table, running)
            _memory_of_encoder_workers(table, running.process.pid)
            _batches(table, client)
        _start_up(table, Path(folder) / "many")
    _command_line(table)
    if not quick:
        _sizes(table)
    print("\n" + table.markdown() + "\n\n" + steps_of_predict().markdown())


def _latencies(table: Table, client: HaleganadaClient, folder: Path) -> None:
    call = _milliseconds(lambda _: client.health(), CALLS)
    disk = _commit_milliseconds(folder)
    train = _milliseconds(lambda i: client.train(strokes(LABELS[i % 10], i), LABELS[i % 10]), CALLS)
    pictures = [canvas_png(LABELS[i % 10], i) for i in range(40)]
    drawn = [strokes(LABELS[i % 10], 1000 + i) for i in range(40)]
    png = _milliseconds(lambda i: client.predict(pictures[i % 40]), CALLS)
    ink = _milliseconds(lambda i: client.predict(drawn[i % 40]), CALLS)
    table.add("Train, durable, p50", _p(train, 50), "≤ 8 ms", f"one synced commit {_p(disk, 50)}")
    table.add("Train, durable, p99", _p(train, 99), "", f"one synced commit {_p(disk, 99)}")
    table.add(
        "Predict, 280×280 PNG, p50 / p99", f"{_p(png, 50)} / {_p(png, 99)}", "≤ 4 ms", f"empty call {_p(call, 50)}"
    )
    table.add("Predict, strokes, p50 / p99", f"{_p(ink, 50)} / {_p(ink, 99)}", "≤ 2.5 ms", f"empty call {_p(call, 50)}")


def _throughput(table: Table, running: ServerProcess) -> None:
    """The clients are four processes, on the same two cores as the server."""
    line = [sys.executable, "-m", "tests.bench.load", running.address, str(CLIENTS // 4), str(SECONDS)]
    loads = [subprocess.Popen([*line, kind], stdout=subprocess.PIPE, text=True) for kind in ["predict"] * 4]
    predicted = sum(int(load.communicate()[0]) for load in loads)
    loads = [subprocess.Popen([*line, kind], stdout=subprocess.PIPE, text=True) for kind in ["health"] * 4]
    empty = sum(int(load.communicate()[0]) for load in loads)
    table.add(
        f"Predict, strokes, {CLIENTS} clients",
        f"{predicted / SECONDS:.0f}/s",
        "≥ 600/s",
        f"empty calls {empty / SECONDS:.0f}/s",
    )


def _memory_of_encoder_workers(table: Table, server: int) -> None:
    """To be looked at soon after they were busy: they end when nobody wants them."""
    sizes = [_resident_megabytes(pid) for pid in encoder_workers(server)]
    table.add(
        f"Resident memory of {len(sizes)} encoder workers",
        f"{sum(sizes):.0f} MB",
        "",
        f"the server beside them {_resident_megabytes(server):.0f} MB",
    )


def _batches(table: Table, client: HaleganadaClient) -> None:
    client.create_workspace("batches")
    rates = []
    for round_number in range(5):
        items = [(strokes(LABELS[i % 10], 5000 * round_number + i), LABELS[i % 10], "", "") for i in range(256)]
        began = time.perf_counter()
        client.train_batch(items, workspace="batches")
        rates.append(256 / (time.perf_counter() - began))
    began = time.perf_counter()
    client.predict_batch([item[0] for item in items], workspace="batches")
    predicted = 256 / (time.perf_counter() - began)
    table.add(
        "TrainBatch of 256, committed",
        f"{np.median(rates):.0f} glyphs/s",
        "≥ 1,500/s",
        f"PredictBatch {predicted:.0f}/s",
    )


def _start_up(table: Table, data: Path) -> None:
    with server(data) as running, running.client() as client:
        for start in range(0, MANY, 250):
            client.train_batch(
                [(strokes(LABELS[i % 10], i), f"{LABELS[i % 10]}{i % 500}", "", "") for i in range(start, start + 250)]
            )
        running.stop()
    began = time.perf_counter()
    with server(data) as running, running.client() as client:
        client.predict(strokes("ಅ", 1))
        seconds = time.perf_counter() - began
        memory = _resident_megabytes(running.process.pid)
    with server(data.with_name("empty")) as running:
        baseline = _resident_megabytes(running.process.pid)
    table.add(f"Start to first answer with {MANY:,} samples", f"{seconds:.2f} s", "≤ 2 s", "")
    table.add(f"Resident memory with {MANY:,} samples", f"{memory:.0f} MB", "≤ 300 MB", f"empty {baseline:.0f} MB")


def _command_line(table: Table) -> None:
    line = [sys.executable, "-m", "haleganada_client.cli", "--help"]
    times = _milliseconds(lambda _: subprocess.run(line, capture_output=True, check=True), 10)
    bare = _milliseconds(lambda _: subprocess.run([sys.executable, "-c", ""], check=True), 10)
    table.add(
        "CLI start (--help)",
        f"{np.median(times) / 1000:.2f} s",
        "≤ 0.3 s",
        f"Python alone {np.median(bare) / 1000:.2f} s",
    )


def _sizes(table: Table) -> None:
    empty = environment_megabytes(None)
    table.add(
        "Thin client's environment", f"{environment_megabytes(''):.0f} MB", "≤ 60 MB", f"empty venv {empty:.0f} MB"
    )
    size = environment_megabytes("[server]")
    table.add("Server's environment, no torch", f"{size:.0f} MB", "≤ 350 MB", f"empty venv {empty:.0f} MB")


def _milliseconds(call: Callable[[int], object], times: int) -> list[float]:
    for i in range(min(20, times)):
        call(i)
    taken = []
    for i in range(times):
        began = time.perf_counter()
        call(i + 20)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _commit_milliseconds(folder: Path) -> list[float]:
    import sqlite3

    with closing(sqlite3.connect(folder / "baseline.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (x)")
        return _milliseconds(lambda _: connection.execute("INSERT INTO t VALUES (?)", (b"x" * 3000,)), CALLS)


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _p(values: list[float], percent: int) -> str:
    return f"{np.percentile(values, percent):.1f} ms"


if __name__ == "__main__":
    main()
