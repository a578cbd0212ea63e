"""What a server does to workspaces seldom, under kill -9 between two steps: upgrades, repairs, backups, and putting
right what an earlier kill left.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.integrity.recovery import read_version
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.vision import PillowRasterizer

from tests.support.preloaded import run_preloaded
from tests.unit.server.store.kills.killed import run_until_killed
from tests.unit.server.store.rows import assert_same, reset_event, sample, teach_all
from tests.unit.server.store.sample_log.test_row_checks import remove_checks

OPEN = 'directory.open("w").close()'
REPAIR = 'directory.repair("w")'
RESET = """
from tests.unit.server.store.rows import reset_event
directory.replace("w", None, reset_event())
"""
COUNT = 6


@contextmanager
def open_directory(data: Path) -> Iterator[DataDirectory]:
    with closing(DataDirectory(data, PillowRasterizer())) as directory:
        yield directory


def make_workspace(data: Path) -> Path:
    """Write a workspace of six samples, with a snapshot of the first two; return its log."""
    with open_directory(data) as directory, closing(directory.create("w")) as log:
        teach_all(log, ["a", "b"])
        directory.save(log, "kept")
        teach_all(log, ["a", "b"] * 2)
        return log.path


def check_samples(log: SqliteLog, count: int) -> None:
    rows = list(log.all_samples())
    assert [row.sample_id for row in rows] == list(range(1, count + 1))
    for row in rows:
        assert_same(row, sample(row.sample_id, "ab"[(row.sample_id - 1) % 2]))


@pytest.mark.parametrize(
    "point", ["snapshot.described", "snapshot.moved", "upgrade.kept", "upgrade.written", "upgrade.committed"]
)
def test_an_upgrade_is_done_or_not_and_the_old_log_is_kept_once(data: Path, point: str) -> None:
    remove_checks(make_workspace(data))
    run_until_killed(OPEN, data, point)
    with open_directory(data) as directory, closing(directory.open("w")) as log:
        check_samples(log, COUNT)
        assert not log.find_damaged_glyphs()
        (old,) = (info for info in directory.snapshots("w") if info.name.startswith("format 1, before the upgrade"))
        assert old.samples_total == COUNT and directory.is_sound("w", old)
        assert read_version(log.path.parent / "snapshots" / f"{old.snapshot_id}.sqlite3") == 1
        teach_all(log, ["a"])
        assert log.count() == COUNT + 1
    assert not list((data / "tmp").iterdir())


def damage(path: Path) -> bytes:
    """Damage a log that has a journal beside it; return what it is then."""
    path.with_name("log.sqlite3-wal").write_bytes(b"a journal")
    path.write_bytes(b"\xa5" * 5000)
    return path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("second", ["leftovers.journal_back", "leftovers.unlinked"])
@pytest.mark.parametrize("first", ["keep.listed", "replace.kept", "replace.without_journals"])
def test_putting_right_what_a_kill_left_may_be_killed_itself(data: Path, first: str, second: str) -> None:
    path = make_workspace(data)
    damaged = damage(path)
    run_until_killed(RESET, data, first)
    run_until_killed("", data, second)
    with open_directory(data) as directory:
        assert path.read_bytes() == damaged and path.with_name("log.sqlite3-wal").read_bytes() == b"a journal"
        assert not list(path.parent.glob("trash/*"))
        with pytest.raises(DataLoss):
            directory.open("w")
        log, retired = directory.replace("w", None, reset_event())
        assert retired is not None and log.last_sample_id() == COUNT
        log.close()


@pytest.mark.parametrize(
    ("point", "is_repaired"),
    [("replace.built", False), ("keep.listed", False), ("replace.renamed", True), ("replace.opened", True)],
)
def test_a_repair_is_done_or_not(data: Path, point: str, is_repaired: bool) -> None:
    path = make_workspace(data)
    damage(path)
    run_until_killed(REPAIR, data, point)
    with open_directory(data) as directory:
        if not is_repaired:
            with pytest.raises(DataLoss):
                directory.open("w")
            directory.repair("w")
        with closing(directory.open("w")) as log:
            check_samples(log, 2)
            assert log.last_sample_id() == COUNT
        assert len(list(path.parent.glob("trash/*.sqlite3"))) == 1
        assert not list((data / "tmp").iterdir())


@pytest.mark.parametrize(("point", "is_there"), [("backup.built", False), ("backup.renamed", True)])
def test_a_backup_is_complete_or_not_there(data: Path, tmp_path: Path, point: str, is_there: bool) -> None:
    make_workspace(data)
    target = tmp_path / "copies" / "today"
    line = ["-m", "haleganada_server", "backup", str(target), "--data", str(data)]
    killed = run_preloaded(line, env={**os.environ, "HALEGANADA_FAILPOINTS": point})
    assert killed.returncode == -signal.SIGKILL
    assert target.exists() == is_there
    if not is_there:
        assert run_preloaded(line).returncode == 0
    assert [path.name for path in target.parent.iterdir()] == ["today"]
    with open_directory(target) as directory, closing(directory.open("w")) as log:
        check_samples(log, COUNT)
