"""The environment of processes that compute with torch."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from haleganada_server.runtime.processes.job_process import JobProcessRunner
from haleganada_server.runtime.processes.learner_process import LearnerProcessRunner

PRINT_GPUS = "import os, sys; sys.stderr.write(os.environ.get('CUDA_VISIBLE_DEVICES', 'all') + ';')"
PRINT_POLICY = "import os, sys; sys.stderr.write(os.environ['OMP_WAIT_POLICY'])"


@pytest.mark.parametrize(
    ("device", "visible", "expected"),
    [
        ("auto", None, "all"),
        ("auto", "1,2", "1,2"),
        ("cpu", "1,2", ""),
        ("cuda:1", None, "1"),
        ("cuda:1", "3,5", "5"),
    ],
)
def test_jobs_see_the_gpus_of_the_device(
    device: str, visible: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    runner = JobProcessRunner([sys.executable, "-c", PRINT_GPUS], needed={}, device=device)
    process = runner.start(tmp_path / "request.json", tmp_path / "log")
    assert not list(process.events()) and process.wait() == 0
    assert (tmp_path / "log").read_text() == f"{expected};"


@pytest.mark.parametrize(("own", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_of_jobs_and_learners_leave_their_cores_to_others(
    own: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if own is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", own)
    command = [sys.executable, "-c", PRINT_POLICY]
    job = JobProcessRunner(command, needed={}).start(tmp_path / "request.json", tmp_path / "log")
    assert not list(job.events()) and job.wait() == 0
    learner = LearnerProcessRunner(command, needed=()).start(tmp_path)
    assert learner.receive() is None
    learner.end(10)
    assert (tmp_path / "log").read_text() == (tmp_path / "process.log").read_text() == expected


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
def test_threads_of_a_training_without_a_server_do_not_spin_either() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    completed = subprocess.run(
        [sys.executable, "-c", "import haleganada_server.training, torch"],
        env={**environment, "OMP_DISPLAY_ENV": "TRUE"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in completed.stderr  # as OpenMP itself understood it
