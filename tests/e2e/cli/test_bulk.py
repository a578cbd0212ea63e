"""`haleganada bulk` on a Ray of this machine: complete outputs, also after kills, and exit codes that tell."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli.command_line import AS_AT_A_TERMINAL
from tests.support.waiting import wait_until
from tests.unit.server.bulk.conftest import teach_lines, write_pictures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed; make test installs it"),
]
START_S = 240.0  # Ray starts eight processes, also on a busy machine


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("data") / "data"
    teach_lines(home, "lines")
    return home


def start(folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a bulk command in a folder, as at a terminal."""
    line: Sequence[str] = [sys.executable, "-c", AS_AT_A_TERMINAL, "bulk", *map(str, arguments)]
    return subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(folder: Path, *arguments: str | Path) -> tuple[int, str, str]:
    process = start(folder, *arguments)
    printed, said = process.communicate(timeout=START_S)
    return process.returncode, printed, said


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def count_blocks(folder: Path) -> int:
    return len(list(folder.glob("*.unfinished/blocks/*")))


def wait_for_blocks(process: subprocess.Popen[str], folder: Path, number: int) -> None:
    """Wait until a run that goes on has finished more than so many blocks."""
    wait_until(lambda: process.poll() is not None or count_blocks(folder) > number, START_S)
    assert process.poll() is None


def test_bad_pictures_become_rows_and_an_exit_code(data: Path, tmp_path: Path) -> None:
    labels = write_pictures(tmp_path / "pictures", 40, bad=(7, 31))
    command = ("predict", "pictures", "--data", data, "-w", "lines", "--block-size", "16", "--json")
    status, printed, said = finish(tmp_path, *command, "--out", "out.jsonl")
    assert status == 1, said
    summary, rows = json.loads(printed), read_rows(tmp_path / "out.jsonl")
    assert (summary["items"], summary["good"], summary["bad"], summary["workspace"]) == (40, 38, 2, "lines")
    assert [row["item"] for row in rows] == [f"pictures/{number:04}.png" for number in range(40)]
    assert {number for number, row in enumerate(rows) if row["error"]} == {7, 31}
    assert all(row["label"] == label for row, label in zip(rows, labels, strict=True) if not row["error"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "pictures"]
    status, _, said = finish(tmp_path, *command, "--out", "out.jsonl")
    assert status == 2 and "exists already" in said


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_run_that_is_killed_again_and_again_gives_the_same_output(data: Path, tmp_path: Path, ending: str) -> None:
    write_pictures(tmp_path / "pictures", 400)
    command = ("predict", "pictures", "--data", data, "-w", "lines", "--block-size", "8")
    finished = 0
    for kill in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        process = start(tmp_path, *command, "--out", f"killed.{ending}")
        with process:
            wait_for_blocks(process, tmp_path, finished + 2)
            process.send_signal(kill)
        assert not (tmp_path / f"killed.{ending}").exists()
        finished = count_blocks(tmp_path)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.unfinished/blocks/*")}
    assert len(kept) == finished < 50
    process = start(tmp_path, *command, "--out", f"killed.{ending}")
    printed, said = process.communicate(timeout=START_S)
    assert process.returncode == 0 and f"{finished} of 50 blocks are finished" in said, said
    assert "400 items, 400 good, 0 bad" in printed
    assert finish(tmp_path, *command, "--out", f"whole.{ending}")[0] == 0
    assert (tmp_path / f"killed.{ending}").read_bytes() == (tmp_path / f"whole.{ending}").read_bytes()


def test_control_c_keeps_what_is_finished_and_a_dead_worker_is_replaced(data: Path, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 300)
    command = ("predict", "pictures", "--data", data, "-w", "lines", "--block-size", "8", "--out", "out.jsonl")
    process = start(tmp_path, *command)
    wait_for_blocks(process, tmp_path, 2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=START_S)
    assert process.returncode == 130 and "the same command goes on" in said
    finished = count_blocks(tmp_path)
    process = start(tmp_path, *command)
    wait_for_blocks(process, tmp_path, finished)
    worker = find_worker(tmp_path)
    assert os.getpriority(os.PRIO_PROCESS, worker) == os.getpriority(os.PRIO_PROCESS, process.pid)
    os.kill(worker, signal.SIGKILL)
    printed, said = process.communicate(timeout=START_S)
    assert process.returncode == 0, said
    assert "300 items, 300 good" in printed and len({row["item"] for row in read_rows(tmp_path / "out.jsonl")}) == 300


def test_pictures_are_taught_once(tmp_path: Path) -> None:
    teach_lines(tmp_path / "data")
    for label in ("ಅ", "ಆ"):
        (tmp_path / "letters").mkdir(exist_ok=True)
        write_pictures(tmp_path / "letters" / label, 10)
    command = ("teach", "letters", "--data", tmp_path / "data", "--block-size", "4", "--json")
    for taught, known in ((20, 0), (0, 20)):
        status, printed, said = finish(tmp_path, *command, "--out", "out.jsonl", "--overwrite")
        assert status == 0, said
        summary = json.loads(printed)
        assert (summary["taught"], summary["known"], summary["good"]) == (taught, known, 20)
    assert [row["label"] for row in read_rows(tmp_path / "out.jsonl")] == ["ಅ"] * 10 + ["ಆ"] * 10


def find_worker(folder: Path) -> int:
    """Return a process that has a file open in a run's folder for temporary files."""
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = fd.readlink()
        except OSError:
            continue
        if folder in target.parents and "scratch" in target.parts:
            return int(fd.parts[2])
    raise AssertionError("no worker has anything open")
