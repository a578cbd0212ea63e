"""Small files that are large pictures, sent to a real server: they cost bounded memory, end with their caller's
deadline, and delay nobody.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.overload.bombs import BOMBS, measure_bombs
from tests.e2e.processes import ServerProcess, server

MOST_MIB = 400
"""Above idle. Before pictures took turns, the short form took 700 to 1,300 MiB, and a batch of 256 up to 4.2 GB."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process from /proc")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ServerProcess]:
    with server(tmp_path) as started:
        yield started


@pytest.mark.slow
def test_a_batch_that_is_refused_for_the_most_part(running: ServerProcess) -> None:
    (row,) = measure_bombs(running, 3, 64, ["the same, three in four blank"])
    assert row.peak_mib - row.idle_mib < MOST_MIB
    assert row.worked_on_s < 15  # it was 20 s and more on an idle machine
    assert row.p50_ms < 1000


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_every_kind_of_bomb(running: ServerProcess, bomb: str) -> None:
    (row,) = measure_bombs(running, 10, 256, [bomb])
    assert row.peak_mib - row.idle_mib < MOST_MIB
    assert row.worked_on_s < 15
    assert row.p50_ms < 1000
