"""After kill -9 at random moments, all that was acknowledged is on disk, once and in order, and no state is lost."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.support.preloaded import PreloadedProcess
from tests.unit.server.store.rows import assert_same, restore_event, sample
from tests.unit.server.store.sample_log.replay import load_tables, replay_events

ROUNDS = 10


def run_and_kill(work: str, data: Path, after_s: float) -> list[int]:
    """Let a writer work for a while, kill it, and return what it acknowledged."""
    with PreloadedProcess(("-m", "tests.unit.server.store.kills.killed_writer", work, str(data))) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(after_s)
        writer.kill()
        lines = writer.stdout.read().split("\n")
    return [int(line) for line in lines[:-1]]  # the last line may be incomplete


def test_everything_acknowledged_is_on_disk(tmp_path: Path) -> None:
    chance, acknowledged = random.Random(7), 0
    for _ in range(ROUNDS):
        acknowledged = max([acknowledged, *run_and_kill("teach", tmp_path, chance.uniform(0.01, 0.2))])
        directory = DataDirectory(tmp_path, PillowRasterizer())
        log = directory.open("w")  # checks the file
        assert [row.sample_id for row in log.all_samples()] == list(range(1, log.revision() + 1))
        assert acknowledged <= log.revision() <= acknowledged + 5, "more than the group whose reply was cut off"
        acknowledged = log.revision()
        with log.transaction() as transaction:
            answers = [transaction.find_event(f"request {number}") for number in range(1, acknowledged + 1)]
        assert [event.revision for event in answers if event] == list(range(1, acknowledged + 1))
        if acknowledged:
            assert_same(log.sample(acknowledged), sample(acknowledged, "a"))
        log.close()
        assert replay_events(log.path) == load_tables(log.path)
        directory.close()
    assert acknowledged > ROUNDS


@pytest.mark.slow
def test_a_state_that_moves_to_the_trash_or_back_is_never_lost(tmp_path: Path) -> None:
    chance, acknowledged = random.Random(11), 0
    for _ in range(ROUNDS):
        acknowledged = max([acknowledged, *run_and_kill("replace", tmp_path, chance.uniform(0.05, 0.3))])
        directory = DataDirectory(tmp_path, PillowRasterizer())
        log = directory.open("w")  # it exists, whatever was going on
        newest = log.count()
        kept = directory.snapshots("w")
        best = max(kept, key=lambda known: known.samples_total, default=None)
        assert max(newest, best.samples_total if best else 0) >= acknowledged
        if best is not None and best.samples_total > newest:  # as a user would recover
            log, _ = directory.replace("w", log, restore_event(), best.snapshot_id)
            assert log.count() == best.samples_total
        log.close()
        assert not list((tmp_path / "tmp").iterdir())
        directory.close()
    assert acknowledged > ROUNDS // 2  # on a busy machine a writer gets little done before it is killed
