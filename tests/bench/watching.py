"""What watching a server costs: processor time of a Predict, with and without it, by turns.

python -m tests.bench.watching [CHECKOUT]     the server of another checkout, instead of this one without being watched
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

from haleganada_client import HaleganadaClient

from tests.bench.table import Table
from tests.e2e.processes import zigzag

ROUNDS, CALLS, LABELS = 15, 300, 60
HERE = Path(__file__).parents[2]


def main() -> None:
    other = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    with ExitStack() as stack:
        sides: dict[str, Callable[[], float]] = {
            "not watched": stack.enter_context(Side(other)).measure,
            "counted": stack.enter_context(Side(HERE)).measure,
            "metrics each second": stack.enter_context(Side(HERE, "--metrics", "0")).measure,
            "and JSON lines of log": stack.enter_context(
                Side(HERE, "--metrics", "0", "--log-level", "info", "--log-format", "json")
            ).measure,
        }
        taken: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(ROUNDS):
            for name, measure in sides.items():
                taken[name].append(measure())
    least = min(taken["not watched"])
    table = Table("Processor time of a Predict", ("server", "ms", "more"))
    for name, found in taken.items():
        table.add(name, f"{min(found):.3f}", f"{100 * (min(found) / least - 1):+.1f} %")
    print(table.markdown())


class Side:
    """A server that knows a few labels, and is watched or not."""

    def __init__(self, checkout: Path, *options: str) -> None:
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        paths = os.pathsep.join(str(checkout / root) for root in ("server", "clients", "generated"))
        line = [sys.executable, "-m", "haleganada_server", "serve", "--listen", "127.0.0.1:0", "--device", "cpu"]
        self._process = self._stack.enter_context(
            subprocess.Popen(
                [*line, "--data", str(folder / "data"), *options],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "PYTHONPATH": paths},
            )
        )
        self._stack.callback(self._process.terminate)
        assert self._process.stdout is not None
        address = self._process.stdout.readline().split(" on ")[1].split()[0]
        self._client = self._stack.enter_context(HaleganadaClient(address))
        for label in range(LABELS):
            self._client.train(zigzag(label), f"label {label}")
        if "--metrics" in options:
            self._scrape_each_second(self._process.stdout.readline().split()[-1])

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(self) -> float:
        """Return the milliseconds of processor time that the server took for a Predict."""
        before = self._processor_ns()
        for call in range(CALLS):
            self._client.predict(zigzag(call % LABELS, 1))
        return (self._processor_ns() - before) / CALLS / 1e6

    def _processor_ns(self) -> int:
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks)

    def _scrape_each_second(self, url: str) -> None:
        ended = threading.Event()

        def scrape() -> None:
            while not ended.wait(1):
                with urlopen(url) as answer:
                    answer.read()

        thread = threading.Thread(target=scrape, daemon=True)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(ended.set)


if __name__ == "__main__":
    main()
