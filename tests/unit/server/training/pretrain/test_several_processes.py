"""Processes that torchrun starts pre-train one network together, and end cleanly, every time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from haleganada_server.runtime.weights import load_weights
from haleganada_server.training.common.checkpoint import read_progress, read_tensors
from haleganada_server.training.pretrain.loop import BEST_FILE, STATE_FILE

from tests.unit.server.training.pretrain import two_trainers

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ENDS = 20


def run_together(*line: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TORCHRUN, *map(str, line)], capture_output=True, text=True, timeout=600)


def test_two_processes_make_the_steps_of_one_with_both_batches(tmp_path: Path) -> None:
    done = run_together(two_trainers.__file__, tmp_path)
    assert done.returncode == 0, done.stderr
    expected = two_trainers.train_alone_on_pairs()
    first, second = (read_tensors(tmp_path / f"rank{rank}.safetensors")[0] for rank in (0, 1))
    assert all(torch.equal(value, second[name]) for name, value in first.items()), "both have the same network"
    for name, value in expected.items():
        assert torch.allclose(value, first[name], atol=1e-4), name
    assert read_progress(tmp_path / STATE_FILE).step == two_trainers.STEPS and (tmp_path / BEST_FILE).exists()


@pytest.mark.slow
def test_two_processes_end_cleanly_every_time(tmp_path: Path) -> None:
    for number in range(ENDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = run_together(two_trainers.__file__, folder)
        assert done.returncode == 0 and "terminate called" not in done.stderr, (number, done.stderr)


@pytest.mark.slow
def test_the_command_gives_weights_that_a_server_loads(data: Path, tmp_path: Path) -> None:
    arguments: Sequence[str | Path] = ("--data", data, "--out", tmp_path, "--steps", "2", "--threads", "1")
    done = run_together("-m", "haleganada_server.training.pretrain.command", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("held-out one-shot error") == 1, "one of the processes reports"
    assert load_weights(tmp_path).side == 64
