"""Versions of a workspace's file: an older one takes the steps that it lacks, wherever it comes from."""

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

NEXT_STEP = "ALTER TABLE samples ADD COLUMN color TEXT NOT NULL DEFAULT 'black';"


def add_step(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """As a later version of the server would have it."""
    monkeypatch.setattr(schema, "_MIGRATIONS", (*schema._MIGRATIONS, step))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_files_and_snapshots_of_an_older_version_are_upgraded_when_opened(
    directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = directory.create("w")
    teach_all(log, ["a"])
    kept = directory.save(log, "")
    log.close()
    assert version(log.path) == 1
    add_step(monkeypatch, NEXT_STEP)

    log = directory.open("w")
    teach_all(log, ["b"])
    assert_same(log.sample(1), sample(1, "a"))
    directory.retire(log, "w", "restore")
    log = directory.restore("w", kept.snapshot_id, Event(ChangeKind.RESTORE, START_US))
    teach_all(log, ["b"])
    assert_same(log.sample(1), sample(1, "a"))
    log.close()
    assert version(log.path) == 2


def test_a_step_that_fails_is_not_taken_in_part(directory: DataDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    log = directory.create("w")
    teach_all(log, ["a"])
    log.close()
    with monkeypatch.context() as later:
        add_step(later, NEXT_STEP + " INSERT INTO nowhere VALUES (1);")
        with pytest.raises(DataLoss, match="nowhere"):
            directory.open("w")
    assert version(log.path) == 1
    log = directory.open("w")
    assert_same(log.sample(1), sample(1, "a"))
    log.close()


def test_new_files_are_of_the_present_version(directory: DataDirectory) -> None:
    log = directory.create("w")
    log.close()
    assert version(log.path) == schema.VERSION
