"""Raster workers: what they answer, and what becomes of one that fails."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.runtime.processes.raster_workers import RasterWorkers
from haleganada_server.vision import decode_for_dataset

from tests.support.waiting import wait_until

SILENT = """
import pathlib, sys
sys.stdout.buffer.write(bytes([0, 0, 0, 2, 0, 0, 0, 0]) + b"{}")
sys.stdout.flush()
sys.stdin.buffer.read(1)
pathlib.Path(sys.argv[1]).touch()
sys.stdin.buffer.read()
"""
"""A program that greets, notes that it was asked, and does not answer."""
BLANK = np.full((40, 30), 255, np.uint8)
BAR = BLANK.copy()
BAR[5:35, 10:15] = 0


def test_a_worker_answers_what_the_server_would() -> None:
    with RasterWorkers(1) as workers:
        assert workers.decode([BAR]) is None, "nothing was started"
        workers.start()
        bar, blank = wait_until(lambda: workers.decode([BAR, BLANK]))
    assert isinstance(bar, tuple) and np.array_equal(bar[0], decode_for_dataset(BAR)[0]) and bar[1] == BAR.size
    with pytest.raises(InvalidInput) as refused:
        decode_for_dataset(BLANK)
    assert isinstance(blank, InvalidInput) and str(blank) == str(refused.value)


def test_a_worker_that_does_not_start_is_logged_and_leaves_the_work_to_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with RasterWorkers(1, (sys.executable, "-c", "")) as workers, caplog.at_level(logging.WARNING):
        workers.start()
        wait_until(lambda: "the server decodes its pictures" in caplog.text)
        assert workers.decode([BAR]) is None


def test_nobody_waits_for_a_worker_that_is_killed(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    answers: list[object] = []
    with RasterWorkers(1, (sys.executable, "-c", SILENT, str(asked))) as workers:
        workers.start()

        def ask() -> None:
            while not asked.exists():
                answers.append(workers.decode([BAR]))

        asking = threading.Thread(target=ask)
        asking.start()
        wait_until(asked.exists)
        workers.kill()
        asking.join()
    assert set(answers) == {None}
