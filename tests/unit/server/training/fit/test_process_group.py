"""Two processes that train together compute what one computes with batches of twice the size."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.fit.settings import TrainingSettings

from tests.unit.server.training.fit import two_processes

ENDS = 20


def run_together(request: Path) -> subprocess.CompletedProcess[str]:
    """Train in two processes that torchrun starts. Raises CalledProcessError if one of them does not end cleanly."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    line = [*command, two_processes.__file__, str(request)]
    return subprocess.run(line, check=True, timeout=600, capture_output=True, text=True)


def test_two_processes_equal_one_with_batches_twice_as_large(dataset: dict[str, Any], tmp_path: Path) -> None:
    settings = [
        TrainingSettings(epochs=3, batch_size=5, learning_rate=3e-3, frozen_epochs=1, accumulation=accumulation)
        for accumulation in (1, 2)
    ]
    request = {"dataset": dataset, "settings": [asdict(chosen) for chosen in settings]}
    (tmp_path / "request.json").write_text(json.dumps(request))
    run_together(tmp_path / "request.json")
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
    for chosen, (weights, history), (other_weights, _) in zip(settings, first, second, strict=True):
        assert weights == other_weights
        group = ProcessGroup(torch.device("cpu"))
        alone, alone_history = two_processes.train(dataset, replace(chosen, batch_size=10), group)
        assert weights == pytest.approx(alone, abs=1e-5)
        for two, one in zip(history, alone_history, strict=True):
            assert {**two, "seconds": 0} == pytest.approx({**one, "seconds": 0}, abs=1e-5)


@pytest.mark.slow
def test_two_processes_end_cleanly_every_time(dataset: dict[str, Any], tmp_path: Path) -> None:
    request = {"dataset": dataset, "settings": [asdict(TrainingSettings(epochs=1, batch_size=18, learning_rate=3e-3))]}
    (tmp_path / "request.json").write_text(json.dumps(request))
    for _ in range(ENDS):
        assert "terminate called" not in run_together(tmp_path / "request.json").stderr
        assert all((tmp_path / f"rank{rank}.json").exists() for rank in (0, 1))
