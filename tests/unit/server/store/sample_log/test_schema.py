"""Versions of a workspace's file: an older one is migrated, wherever it comes from."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log import schema

from tests.unit.server.store.rows import START_US, assert_same, sample, teach_all

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
