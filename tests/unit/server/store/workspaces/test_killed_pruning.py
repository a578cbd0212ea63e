"""Deleting and saving snapshots under kill -9 at each step: a snapshot is whole, or gone after the next start."""

from __future__ import annotations

from pathlib import Path

import pytest
from haleganada_server.core.workspaces.types import SnapshotKind
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.store.kills.killed import run_until_killed
from tests.unit.server.store.rows import teach_all

PRUNE = """
from haleganada_server.core.workspaces.snapshots.keeper import SnapshotKeeper
SnapshotKeeper(directory).prune("w", keep=1)
"""
SAVE = 'directory.save(directory.open("w"), "new")'


@pytest.mark.parametrize(
    ("point", "left"),
    [
        ("discard.moved", 4),
        ("discard.unlisted", 4),
        ("discard.moved=3", 2),
        ("discard.unlisted=4", 1),
        ("snapshot.described", 5),
    ],
)
def test_the_next_start_completes_what_a_kill_interrupts(tmp_path: Path, point: str, left: int) -> None:
    directory = DataDirectory(tmp_path, PillowRasterizer())
    log = directory.create("w")
    for number in range(5):
        teach_all(log, ["a"])
        directory.save(log, str(number), SnapshotKind.AUTOMATIC)
    teach_all(log, ["a"])
    log.close()
    directory.close()
    run_until_killed(SAVE if point.startswith("snapshot") else PRUNE, tmp_path, point)

    directory = DataDirectory(tmp_path, PillowRasterizer())
    found = directory.snapshots("w")
    assert [info.name for info in found] == ["4", "3", "2", "1", "0"][:left]
    assert all(directory.is_sound("w", info) for info in found)
    files = [path.name for folder in ("snapshots", "trash") for path in tmp_path.glob(f"workspaces/*/{folder}/*")]
    assert len(files) == 2 * left and not list((tmp_path / "tmp").iterdir())
    directory.close()
