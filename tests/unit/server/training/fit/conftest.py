"""Jobs that train on a tiny data set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

Request = dict[str, Any]


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
            "backbone_weights": [],
        }

    return make


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

    def close_pipes(self) -> None:
        """Close the ends of its pipes."""
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe
            with suppress(OSError):  # it may hold text that nobody will read
                pipe.close()

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
        run.close_pipes()
