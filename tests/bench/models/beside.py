"""A training beside other work: python -m tests.bench.models.beside [--competitors N].

The same few epochs are trained alone, and beside programs that keep every core busy: once as OpenMP's threads wait by
default, spinning, and once as jobs of the server wait, asleep. The weights have to be the same to the last bit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.runtime.processes.child_processes import usable_cores
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.bench.table import Table
from tests.unit.server.training.toy_dataset import write_dataset

EPOCHS = 3
DEFAULT_SPINS = "300000"  # of GNU's OpenMP where no policy is set
POLICIES = {"spin (OpenMP's default)": {"GOMP_SPINCOUNT": DEFAULT_SPINS}, "sleep (jobs)": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--competitors", type=int, default=usable_cores(), help="programs that never rest")
    competitors = parser.parse_args().competitors
    table = Table("Seconds per epoch (median)", ("threads that wait", "alone", f"beside {competitors} busy programs"))
    weights = set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = write_dataset(folder / "dataset", {Part.TRAIN: 60, Part.VALIDATION: 10})
        for policy, variables in POLICIES.items():
            cells = []
            for number in (0, competitors):
                home = folder / f"{len(variables)}-{number}"
                home.mkdir()
                with busy_programs(number), environment(variables):
                    cells.append(f"{train(home, dataset):.2f}")
                weights.add(hashlib.sha256((home / "model" / "model.safetensors").read_bytes()).hexdigest())
            table.add(policy, *cells)
    print(f"\n{table.markdown()}\n\nthe weights are {'the same' if len(weights) == 1 else 'NOT the same'} in all runs")


def train(folder: Path, dataset: dict[str, object]) -> float:
    """Train as the server would; return the median seconds of an epoch."""
    request = {
        "kind": "training",
        "job_id": "beside",
        "folder": str(folder),
        "preset": "cnn36",
        "name": "shapes",
        "settings": {"epochs": EPOCHS, "patience": 0},
        "dataset": dataset,
        "backbone_weights": [],
    }
    path = folder / "request.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    process = JobProcessRunner(device="cpu").start(path, folder / "log")
    seconds = [event["epoch"]["seconds"] for event in process.events() if "epoch" in event]
    process.wait()
    return float(statistics.median(seconds))


@contextmanager
def busy_programs(number: int) -> Iterator[None]:
    """Keep that many cores busy meanwhile."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment meanwhile."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


if __name__ == "__main__":
    main()
