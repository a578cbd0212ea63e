"""How many times faster the product is than what else one could run, on the same drawings in the same run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.bench.drawings import LABELS, strokes
from tests.bench.load import measure_load, time_calls
from tests.bench.table import Table
from tests.e2e.processes import start_process

_TORCH = Path(".venv-train/bin/python")  # the bench itself runs as users do, without torch


def compare(table: Table, *, train_ms: float, predict_ms: float, clients: int, per_s: float) -> None:
    """Add rows with the product's ratio to each. train_ms, predict_ms: the product's medians. per_s: drawings that it
    recognizes a second for so many clients.
    """
    _compare_nearest_neighbor(table, predict_ms, clients, per_s)
    _compare_frozen_resnet(table, train_ms, predict_ms)


def _compare_nearest_neighbor(table: Table, predict_ms: float, clients: int, per_s: float) -> None:
    running = start_process([sys.executable, "-m", "tests.bench.rivals.nearest_neighbor"])
    try:
        with running.client() as client:
            for number in range(100):
                client.train(strokes(LABELS[number % 10], number), LABELS[number % 10])
            drawings = [strokes(LABELS[number % 10], 1000 + number) for number in range(40)]
            own_ms = 1000 * float(np.median(time_calls(lambda number: client.predict(drawings[number % 40]), 300)))
        own_per_s = measure_load(running.address, "predict", clients)
    finally:
        running.kill()
    what = "nearest neighbors by the same network, kept in memory"
    table.add(f"Predict, beside {what}", f"{own_ms / predict_ms:.2f} ×", "≥ 1 ×", f"{own_ms:.1f} ms")
    table.add(f"The same, {clients} clients", f"{per_s / own_per_s:.2f} ×", "≥ 1 ×", f"{own_per_s:.0f}/s")


def _compare_frozen_resnet(table: Table, train_ms: float, predict_ms: float) -> None:
    what = "Train, beside five steps of AdamW on a frozen ResNet-50"
    if not _TORCH.exists():
        table.add(what, "not measured", "≥ 40 ×", "torch is not in .venv-train")
        return
    line = [str(_TORCH), "-m", "tests.bench.rivals.frozen_resnet"]
    own = json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout)
    table.add(what, f"{own['learn_ms'] / train_ms:.0f} ×", "≥ 40 ×", f"{own['learn_ms']:.0f} ms")
    table.add(
        "Predict, beside the same", f"{own['recognize_ms'] / predict_ms:.0f} ×", "", f"{own['recognize_ms']:.0f} ms"
    )
