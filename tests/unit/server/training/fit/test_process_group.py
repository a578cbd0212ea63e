"""Two processes that train together compute what one computes with batches of twice the size."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from haleganada_server.training.fit.process_group import ProcessGroup
from haleganada_server.training.fit.settings import TrainingSettings

from tests.unit.server.training.fit import two_processes


@pytest.mark.parametrize("accumulation", [1, 2])
def test_two_processes_equal_one_with_batches_twice_as_large(
    dataset: dict[str, Any], tmp_path: Path, accumulation: int
) -> None:
    settings = TrainingSettings(epochs=3, batch_size=5, learning_rate=3e-3, frozen_epochs=1, accumulation=accumulation)
    request = {"dataset": dataset, "settings": asdict(settings)}
    (tmp_path / "request.json").write_text(json.dumps(request))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*command, two_processes.__file__, str(tmp_path / "request.json")], check=True, timeout=120)
    answers = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1)]
    assert answers[0][0] == answers[1][0]
    settings = TrainingSettings(epochs=3, batch_size=10, learning_rate=3e-3, frozen_epochs=1, accumulation=accumulation)
    weights, history = two_processes.train(dataset, settings, ProcessGroup(torch.device("cpu")))
    assert answers[0][0] == pytest.approx(weights, abs=1e-5)
    for two, one in zip(answers[0][1], history, strict=True):
        assert {**two, "seconds": 0} == pytest.approx({**one, "seconds": 0}, abs=1e-5)
