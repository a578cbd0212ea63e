"""Versions beside each other, by turns: python -m tests.bench.turns NAME=CHECKOUT NAME=CHECKOUT…

The speed of virtual cores depends on the minute, so versions can only be compared within each of them: their servers
run at the same time, and take turns at each measurement. Each checkout has its environment in .venv, as `make setup`
makes it. Prints the second table of docs/speed.md.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient

from tests.bench.drawings import LABELS, canvas_png, strokes
from tests.bench.load import measure_load
from tests.bench.table import Table
from tests.e2e.processes import ServerProcess, start_process

TURNS, UNCOUNTED_TURNS, BATCH, CALLS = 22, 2, 256, 20
CLIENTS, CLIENTS_TURNS, CLIENTS_S = 32, 6, 4.0
Measured = dict[str, list[float]]


def main() -> None:
    checkouts = dict(argument.split("=", 1) for argument in sys.argv[1:])
    measured = measure_by_turns({name: Path(checkout) for name, checkout in checkouts.items()})
    table = Table("Versions by turns, medians", ("what", *measured))
    for what in next(iter(measured.values())):
        table.add(what, *(f"{np.median(one[what]):.4g}" for one in measured.values()))
    print("\n" + table.markdown())


def measure_by_turns(checkouts: dict[str, Path]) -> dict[str, Measured]:
    """Run a server of each version, and return its values by what was measured."""
    measured: dict[str, Measured] = {name: {} for name in checkouts}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving(checkout)) for name, checkout in checkouts.items()}
        clients = {name: stack.enter_context(running.client()) for name, running in servers.items()}
        for turn in range(TURNS + UNCOUNTED_TURNS):
            for name in take_turns(checkouts, turn):
                found = measure_batches_and_calls(clients[name], turn)
                for what, value in found.items() if turn >= UNCOUNTED_TURNS else ():
                    measured[name].setdefault(what, []).append(value)
        for turn in range(CLIENTS_TURNS):
            for name in take_turns(checkouts, turn):
                rate = measure_load(servers[name].address, "predict", CLIENTS, CLIENTS_S)
                measured[name].setdefault(f"Predict, strokes, {CLIENTS} clients, a second", []).append(rate)
    return measured


@contextmanager
def serving(checkout: Path) -> Iterator[ServerProcess]:
    """Yield a version's server on an empty data directory."""
    with tempfile.TemporaryDirectory() as data:
        python = str(checkout / ".venv/bin/python")
        running = start_process([python, "-m", "haleganada_server", "serve", "--listen", "127.0.0.1:0", "--data", data])
        try:
            yield running
        finally:
            running.kill()


def take_turns(names: Iterable[str], turn: int) -> list[str]:
    """Return the versions in the order of this turn, which is turned round in every other one."""
    return list(names)[:: 1 if turn % 2 else -1]


def measure_batches_and_calls(client: HaleganadaClient, turn: int) -> dict[str, float]:
    """Teach and ask once, in batches and one by one."""
    labels = [LABELS[number % len(LABELS)] for number in range(BATCH)]
    drawings = [strokes(label, BATCH * turn + number) for number, label in enumerate(labels)]
    pictures = [canvas_png(label, number) for number, label in enumerate(labels[:CALLS])]
    lessons = [(drawing, label, "", "") for drawing, label in zip(drawings, labels, strict=True)]
    return {
        f"TrainBatch of {BATCH}, glyphs a second": BATCH / time_call(lambda: client.train_batch(lessons)),
        f"PredictBatch of {BATCH}, glyphs a second": BATCH / time_call(lambda: client.predict_batch(drawings)),
        "Train, durable, ms": 1000 * median_time(lambda i: client.train(drawings[i], labels[i])),
        "Predict, strokes, ms": 1000 * median_time(lambda i: client.predict(drawings[i])),
        "Predict, 280×280 PNG, ms": 1000 * median_time(lambda i: client.predict(pictures[i])),
    }


def median_time(call: Callable[[int], object]) -> float:
    """Return the median of the seconds that calls take one after another."""
    return float(np.median([time_call(partial(call, number)) for number in range(CALLS)]))


def time_call(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
