"""Versions of a workspace's file: an older one is kept and brought up to date, a newer one is refused."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Exhausted
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.core.workspaces.types import SnapshotInfo, SnapshotKind
from haleganada_server.store import DataDirectory
from haleganada_server.store.backup.log_copy import copy_log
from haleganada_server.store.sample_log import schema
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.store.rows import START_US, assert_same, reset_event, restore_event, sample, teach_all

MIGRATION = "ALTER TABLE samples ADD COLUMN color TEXT NOT NULL DEFAULT 'black';"


def add_migration(monkeypatch: pytest.MonkeyPatch, migration: str) -> None:
    """Add a migration, as a later version of the server would."""
    monkeypatch.setattr(schema, "_MIGRATIONS", (*schema._MIGRATIONS, migration))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)


def read_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_files_and_snapshots_of_an_older_version_are_upgraded_when_opened(
    directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema.VERSION
    log = directory.create("w")
    teach_all(log, ["a"])
    kept = directory.save(log, "")
    log.close()
    assert read_version(log.path) == before
    add_migration(monkeypatch, MIGRATION)

    log = directory.open("w")
    teach_all(log, ["b"])
    assert_same(log.sample(1), sample(1, "a"))
    log, _ = directory.replace("w", log, Event(ChangeKind.RESTORE, START_US), kept.snapshot_id)
    teach_all(log, ["b"])
    assert_same(log.sample(1), sample(1, "a"))
    log.close()
    assert read_version(log.path) == before + 1


def test_a_failing_migration_changes_nothing(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema.VERSION
    log = directory.create("w")
    teach_all(log, ["a"])
    log.close()
    with monkeypatch.context() as later:
        add_migration(later, MIGRATION + " INSERT INTO nowhere VALUES (1);")
        with pytest.raises(DataLoss, match="nowhere"):
            directory.open("w")
    assert read_version(log.path) == before
    log = directory.open("w")
    assert_same(log.sample(1), sample(1, "a"))
    log.close()


def test_new_files_have_the_current_version(directory: DataDirectory) -> None:
    log = directory.create("w")
    log.close()
    assert read_version(log.path) == schema.VERSION


@pytest.fixture
def old(directory: DataDirectory) -> Path:
    """The closed log of “w”, with one sample: of an older version as soon as there is another migration."""
    with closing(directory.create("w")) as log:
        teach_all(log, ["a"])
    return log.path


def upgrade(directory: DataDirectory) -> SnapshotInfo:
    """Open “w” as a later version does, teach it, and return what was kept."""
    with closing(directory.open("w")) as log:
        teach_all(log, ["b"])
    (kept,) = directory.snapshots("w")
    return kept


def test_the_old_log_is_kept_once_and_the_log_tells_the_way_back(
    directory: DataDirectory, old: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = schema.VERSION
    add_migration(monkeypatch, MIGRATION)
    kept = upgrade(directory)
    assert kept.kind is SnapshotKind.SAVED, "which is never deleted by itself"
    assert kept.name.startswith(f"format {before}, before the upgrade of 20") and kept.samples_total == 1
    assert read_version(old.parent / "snapshots" / f"{kept.snapshot_id}.sqlite3") == before
    assert f"haleganada -w w restore {kept.snapshot_id}" in caplog.text and directory.is_sound("w", kept)
    caplog.clear()
    upgrade(directory)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_older_version_goes_on_from_the_kept_log_and_the_newer_one_again_after_that(
    directory: DataDirectory, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        add_migration(later, MIGRATION)
        kept = upgrade(directory)
    with pytest.raises(DataLoss, match="newer version of this server; update") as refused:
        directory.open("w")
    assert refused.value.reason is Reason.WORKSPACE_TOO_NEW
    log, retired = directory.replace("w", None, restore_event(), kept.snapshot_id)
    assert_same(log.sample(1), sample(1, "a"))
    assert log.count() == 1 and retired is not None and retired.name == "before restore (of a newer version)"
    teach_all(log, ["c"])
    assert log.last_sample_id() == 3, "no id is given twice"
    log.close()
    with pytest.raises(DataLoss, match="newer version") as refused:
        directory.replace("w", None, restore_event(), retired.snapshot_id)
    assert refused.value.reason is Reason.WORKSPACE_TOO_NEW
    add_migration(monkeypatch, MIGRATION)
    with closing(directory.open("w")) as log:
        assert [row.label for row in log.all_samples()] == ["a", "c"]
    log, _ = directory.replace("w", None, restore_event(), retired.snapshot_id)
    assert [row.label for row in log.all_samples()] == ["a", "b"], "what the newer version had taught is there, too"
    log.close()


def test_what_a_newer_version_has_written_is_told_from_damage(
    directory: DataDirectory, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        add_migration(later, MIGRATION)
        with closing(directory.open("w")) as log:
            directory.save(log, "newer")
            teach_all(log, ["b"])
            directory.save(log, "newer")
    checked = list(directory.verify("w"))
    assert [(found.newer, bool(found.problem), found.hint) for found in checked] == [
        (True, True, ""),  # its log: no repair is advised
        (True, True, ""),
        (False, False, ""),
        (False, False, ""),
    ]
    assert not list(old.parent.rglob("*-wal"))


def test_a_log_of_which_a_copy_is_kept_already_takes_no_more_disk(
    directory: DataDirectory, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(directory.open("w")) as log:
        saved = directory.save(log, "mine")
    add_migration(monkeypatch, MIGRATION)
    with closing(directory.open("w")):
        first, second = (old.parent / "snapshots" / f"{info.snapshot_id}.sqlite3" for info in directory.snapshots("w"))
    assert first.samefile(second) and saved in directory.snapshots("w")


def test_without_room_for_the_old_log_it_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = schema.VERSION
    with closing(DataDirectory(tmp_path, PillowRasterizer())) as directory, closing(directory.create("w")) as log:
        teach_all(log, ["a"])
    add_migration(monkeypatch, MIGRATION)
    with closing(DataDirectory(tmp_path, PillowRasterizer(), max_bytes=1)) as narrow:
        with pytest.raises(Exhausted, match="larger --data-quota"):
            narrow.open("w")
        assert read_version(log.path) == before and not narrow.snapshots("w")
    with closing(DataDirectory(tmp_path, PillowRasterizer())) as wide, closing(wide.open("w")) as log:
        assert_same(log.sample(1), sample(1, "a"))
        assert read_version(log.path) == before + 1 and len(wide.snapshots("w")) == 1


def test_a_log_that_is_replaced_is_kept_in_the_trash_alone(
    directory: DataDirectory, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_migration(monkeypatch, MIGRATION)
    log, retired = directory.replace("w", None, reset_event())
    log.close()
    assert directory.snapshots("w") == [retired] and read_version(old) == schema.VERSION


def test_a_backup_has_the_version_of_what_it_copies(
    directory: DataDirectory, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = schema.VERSION
    add_migration(monkeypatch, MIGRATION)
    assert copy_log(old.parent, tmp_path / "backup", "w") == (1, 1)
    assert read_version(tmp_path / "backup" / old.name) == read_version(old) == before
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [old.name, "mark"]
