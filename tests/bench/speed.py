"""Latency, throughput, start-up, memory and sizes: python -m tests.bench.speed [--quick].

The server is a warm process of its own on loopback. Baselines: an empty call, for gRPC alone, and one synced SQLite
commit, for the disk alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient

from tests.bench.anatomy import measure_predict_steps
from tests.bench.drawings import LABELS, canvas_png, strokes
from tests.bench.footprint import PAGE, SERVER, THIN, measure_environment
from tests.bench.load import measure_load, time_calls
from tests.bench.memory import read_memory
from tests.bench.rivals.compare import compare
from tests.bench.table import Table, format_quantile
from tests.e2e.processes import ServerProcess, fresh_server

CALLS = 400
CLIENTS = 32
MANY_SAMPLES = 10_000
MANY_LABELS = 500


def main() -> None:
    quick = "--quick" in sys.argv
    table = Table("Speed and size")
    with tempfile.TemporaryDirectory() as folder:
        with fresh_server(Path(folder) / "latency") as running, running.client() as client:
            train_ms, predict_ms = _measure_latency(table, client, Path(folder))
            per_s = _measure_throughput(table, running)
            resident = read_memory(running.process.pid) / 2**20
            table.add(f"Resident memory after {CLIENTS} clients", f"{resident:.0f} MB", "", "")
            _measure_batches(table, client)
            _measure_turns(table, client)
        _measure_many_labels(table, Path(folder) / "labels")
        _measure_start_up(table, Path(folder) / "many")
    compare(table, train_ms=train_ms, predict_ms=predict_ms, clients=CLIENTS, per_s=per_s)
    _measure_command_line(table)
    if not quick:
        _measure_sizes(table)
    print("\n" + table.markdown() + "\n\n" + measure_predict_steps().markdown())


def _measure_latency(table: Table, client: HaleganadaClient, folder: Path) -> tuple[float, float]:
    """Return the medians of Train, and of Predict of strokes, in milliseconds."""
    empty = time_calls(lambda _: client.health(), CALLS)
    commit = _time_commits(folder)
    train = time_calls(lambda i: client.train(strokes(LABELS[i % 10], i), LABELS[i % 10]), CALLS)
    images = [canvas_png(LABELS[i % 10], i) for i in range(40)]
    drawings = [strokes(LABELS[i % 10], 1000 + i) for i in range(40)]
    png = time_calls(lambda i: client.predict(images[i % 40]), CALLS)
    ink = time_calls(lambda i: client.predict(drawings[i % 40]), CALLS)
    table.add(
        "Train, durable, p50",
        format_quantile(train, 0.5),
        "≤ 4.5 ms",
        f"one synced commit {format_quantile(commit, 0.5)}",
    )
    table.add(
        "Train, durable, p99", format_quantile(train, 0.99), "", f"one synced commit {format_quantile(commit, 0.99)}"
    )
    table.add(
        "Predict, 280×280 PNG, p50 / p99",
        f"{format_quantile(png, 0.5)} / {format_quantile(png, 0.99)}",
        "≤ 3 ms",
        f"empty call {format_quantile(empty, 0.5)}",
    )
    table.add(
        "Predict, strokes, p50 / p99",
        f"{format_quantile(ink, 0.5)} / {format_quantile(ink, 0.99)}",
        "≤ 2.5 ms",
        f"empty call {format_quantile(empty, 0.5)}",
    )
    return 1000 * float(np.median(train)), 1000 * float(np.median(ink))


def _measure_throughput(table: Table, running: ServerProcess) -> float:
    """Return how many drawings of strokes are recognized a second."""
    predicted = measure_load(running.address, "predict", CLIENTS)
    empty = measure_load(running.address, "health", CLIENTS)
    table.add(f"Predict, strokes, {CLIENTS} clients", f"{predicted:.0f}/s", "≥ 600/s", f"empty calls {empty:.0f}/s")
    return predicted


def _measure_batches(table: Table, client: HaleganadaClient) -> None:
    client.create_workspace("batches")
    rates = []
    for round_number in range(5):
        items = [(strokes(LABELS[i % 10], 5000 * round_number + i), LABELS[i % 10], "", "") for i in range(256)]
        start_time = time.perf_counter()
        client.train_batch(items, workspace="batches")
        rates.append(256 / (time.perf_counter() - start_time))
    start_time = time.perf_counter()
    client.predict_batch([item[0] for item in items], workspace="batches")
    predicted = 256 / (time.perf_counter() - start_time)
    table.add(
        "TrainBatch of 256, committed",
        f"{np.median(rates):.0f} glyphs/s",
        "≥ 1,000/s",
        "",
    )
    table.add("PredictBatch of 256", f"{predicted:.0f} glyphs/s", "≥ 1,200/s", "")


def _measure_turns(table: Table, client: HaleganadaClient) -> None:
    """Measure Predict alone and right after a Train, in a workspace of many labels."""
    client.create_workspace("turns")
    for hand in range(3):
        for start in range(0, MANY_LABELS, 250):
            labels = range(start, start + 250)
            items = [(strokes(LABELS[i % 10], 3 * i + hand), f"{LABELS[i % 10]}{i}", "", "") for i in labels]
            client.train_batch(items, workspace="turns")
    asked = [strokes(LABELS[i % 10], 7000 + i) for i in range(40)]
    client.predict(asked[0], min_revision=client.get_workspace("turns").revision, workspace="turns")
    alone = time_calls(lambda i: client.predict(asked[i % 40], workspace="turns"), CALLS // 2)
    after = []
    for i in range(CALLS // 2):
        client.train(asked[i % 40], f"{LABELS[i % 10]}{i}", workspace="turns")
        start_time = time.perf_counter()
        client.predict(asked[-i % 40], workspace="turns")
        after.append(time.perf_counter() - start_time)
    table.add(
        f"Predict right after a Train, {MANY_LABELS} labels, p50 / p90",
        f"{format_quantile(after, 0.5)} / {format_quantile(after, 0.9)}",
        "≤ 2 × alone",
        f"alone {format_quantile(alone, 0.5)} / {format_quantile(alone, 0.9)}",
    )


def _measure_many_labels(table: Table, data: Path) -> None:
    """Measure Predict, alone and right after a Train, with 10,000 labels of one sample."""
    with fresh_server(data) as running, running.client() as client:
        for start in range(0, MANY_SAMPLES, 250):
            items = [(strokes(LABELS[i % 10], i), f"{LABELS[i % 10]}{i}", "", "") for i in range(start, start + 250)]
            client.train_batch(items)
        asked = [strokes(LABELS[i % 10], 7000 + i) for i in range(40)]
        client.predict(asked[0], min_revision=client.get_workspace("default").revision)
        alone, after = time_calls(lambda i: client.predict(asked[i % 40]), 100), []
        for i in range(40):
            client.train(asked[i], f"{LABELS[i % 10]}{i}")
            start_time = time.perf_counter()
            client.predict(asked[-i])
            after.append(time.perf_counter() - start_time)
    table.add(
        f"Predict, {MANY_SAMPLES:,} labels, p50 / p99",
        f"{format_quantile(alone, 0.5)} / {format_quantile(alone, 0.99)}",
        "≤ 5 ms",
        "",
    )
    table.add(
        "The same right after a Train",
        f"{format_quantile(after, 0.5)} / {format_quantile(after, 0.9)}",
        "≤ 20 ms",
        "p50 / p90",
    )


def _measure_start_up(table: Table, data: Path) -> None:
    with fresh_server(data) as running, running.client() as client:
        for start in range(0, MANY_SAMPLES, 250):
            client.train_batch(
                [(strokes(LABELS[i % 10], i), f"{LABELS[i % 10]}{i % 500}", "", "") for i in range(start, start + 250)]
            )
        running.stop()
    start_time = time.perf_counter()
    with fresh_server(data) as running, running.client() as client:
        client.predict(strokes("ಅ", 1))
        seconds = time.perf_counter() - start_time
        memory = read_memory(running.process.pid) / 2**20
    with fresh_server(data.with_name("empty")) as running:
        baseline = read_memory(running.process.pid) / 2**20
    table.add(f"Start to first answer with {MANY_SAMPLES:,} samples", f"{seconds:.2f} s", "≤ 2 s", "")
    table.add(
        f"Resident memory with {MANY_SAMPLES:,} samples", f"{memory:.0f} MB", "≤ 300 MB", f"empty {baseline:.0f} MB"
    )


def _measure_command_line(table: Table) -> None:
    line = [sys.executable, "-m", "haleganada_client.cli", "--help"]
    times = time_calls(lambda _: subprocess.run(line, capture_output=True, check=True), 10)
    bare = time_calls(lambda _: subprocess.run([sys.executable, "-c", ""], check=True), 10)
    table.add(
        "Command line start (--help)",
        f"{np.median(times):.2f} s",
        "≤ 0.3 s",
        f"Python alone {np.median(bare):.2f} s",
    )


def _measure_sizes(table: Table) -> None:
    empty = f"empty venv {measure_environment():.0f} MB"
    table.add("Thin client's environment", f"{measure_environment(*THIN):.0f} MB", "≤ 58 MB", empty)
    table.add("Thin client's environment, with the page", f"{measure_environment(*PAGE):.0f} MB", "≤ 58 MB", empty)
    table.add("Server's environment, without torch", f"{measure_environment(*SERVER):.0f} MB", "≤ 350 MB", empty)


def _time_commits(folder: Path) -> list[float]:
    import sqlite3

    with closing(sqlite3.connect(folder / "baseline.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (x)")
        return time_calls(lambda _: connection.execute("INSERT INTO t VALUES (?)", (b"x" * 3000,)), CALLS)


if __name__ == "__main__":
    main()
