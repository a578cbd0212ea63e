"""The environment of a job's process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from haleganada_server.runtime.job_process import JobProcessRunner

PRINT_GPUS = "import os, sys; sys.stderr.write(os.environ.get('CUDA_VISIBLE_DEVICES', 'all') + ';')"


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
