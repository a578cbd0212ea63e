"""Tiny data sets of drawn shapes, and jobs that train on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.datasets.dataset import DATASET_SIDE, Part

SHAPES = ("I", "O", "X", "ಅ")
Request = dict[str, Any]


def draw_shape(label: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a bar, a ring, a cross or a corner, a little different each time: (64, 64) uint8."""
    y, x = np.mgrid[:DATASET_SIDE, :DATASET_SIDE] - (DATASET_SIDE - 1) / 2 + rng.normal(0, 2, (2, 1, 1))
    pen, reach = rng.uniform(2, 4), rng.uniform(20, 26)
    inside = np.maximum(abs(x), abs(y)) < reach
    ink = (
        (abs(x) < pen) & inside,
        abs(np.hypot(x, y) - reach + 4) < pen,
        (np.minimum(abs(x - y), abs(x + y)) < 1.4 * pen) & inside,
        (np.minimum(abs(x + reach - pen), abs(y - reach + pen)) < pen) & inside,
    )[label]
    return np.where(ink, np.uint8(255), np.uint8(0))


def write_dataset(folder: Path, counts: dict[Part, int], classes: int = 3, seed: int = 0) -> dict[str, Any]:
    """Write a data set as the server stores it, `counts` drawings of each label; return its entry in a request."""
    rng = np.random.default_rng(seed)
    parts = np.concatenate([np.full(classes * count, part, np.uint8) for part, count in counts.items()])
    labels = np.concatenate([np.arange(classes * count, dtype=np.int32) % classes for count in counts.values()])
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [draw_shape(label, rng) for label in labels]
    np.save(folder / "rasters.npy", np.array(drawn, np.uint8).reshape(-1, DATASET_SIDE, DATASET_SIDE))
    np.save(folder / "labels.npy", labels)
    np.save(folder / "parts.npy", parts)
    np.save(folder / "writers.npy", np.full(len(labels), -1, np.int32))
    return {"folder": str(folder), "name": "shapes", "sha256": "5" * 64, "labels": list(SHAPES[:classes])}


@pytest.fixture
def dataset(tmp_path: Path) -> dict[str, Any]:
    """Three shapes: 36 drawings to train on, 12 for validation, 12 for the test."""
    return write_dataset(tmp_path / "dataset", {Part.TRAIN: 12, Part.VALIDATION: 4, Part.TEST: 4})


@pytest.fixture
def request_for(tmp_path: Path, dataset: dict[str, Any]) -> Callable[..., Request]:
    """A function that builds the request to train tiny-cnn in a folder of the given name."""

    def make(folder: str = "job", **settings: Any) -> Request:
        (tmp_path / folder).mkdir(exist_ok=True)
        return {
            "kind": "training",
            "job_id": folder,
            "folder": str(tmp_path / folder),
            "preset": "tiny-cnn",
            "name": "shapes",
            "settings": {"epochs": 3, "batch_size": 12, **settings},
            "dataset": dataset,
            "backbone_weights": "",
        }

    return make


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class JobRun:
    """A job's process, as the server starts it."""

    def __init__(self, request: Request, **options: Any) -> None:
        path = Path(request["folder"]) / "request.json"
        path.write_text(json.dumps(request), encoding="utf-8")
        self.process = subprocess.Popen(
            [*options.pop("python", [sys.executable, "-m"]), "haleganada_server.training.job", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            **options,
        )
        self.lines: list[dict[str, Any]] = []

    def read_until(self, key: str, count: int = 1) -> JobRun:
        """Read reports until that many of a kind have arrived."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if sum(key in found for found in self.lines) >= count:
                break
        return self

    def write(self, word: str) -> None:
        """Write to the process's standard input."""
        assert self.process.stdin
        self.process.stdin.write(word)
        self.process.stdin.flush()

    def wait_for_end(self) -> dict[str, Any]:
        """Read to the end, keep standard error in `errors`, and return the last report."""
        assert self.process.stdout and self.process.stderr and self.process.stdin
        self.lines += [json.loads(line) for line in self.process.stdout]
        self.errors = self.process.stderr.read()
        self.process.stdin.close()
        self.process.wait(60)
        return self.lines[-1] if self.lines else {}

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()
        self.process.wait(60)


@pytest.fixture
def start() -> Iterator[Callable[..., JobRun]]:
    """A function that starts jobs; those that a failing test leaves running are killed."""
    runs: list[JobRun] = []

    def start_one(request: Request, **options: Any) -> JobRun:
        runs.append(JobRun(request, **options))
        return runs[-1]

    yield start_one
    for run in runs:
        if run.process.poll() is None:
            run.kill()
