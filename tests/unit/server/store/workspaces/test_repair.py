"""Repairing a damaged workspace saves every sample that is left, and the rest from a snapshot."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog

from tests.unit.server.store.rows import HASH, START_US, assert_same, forget, link, reset_event, sample, teach_all

TAUGHT = 120


def overwrite_page(path: Path, number: int) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * number : 4096 * (number + 1)] = b"\xa5" * 4096
    path.write_bytes(content)


def overwrite_leaf(path: Path) -> None:
    """Overwrite a page of samples that is no other table's."""
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'samples'").fetchone()
    page = path.read_bytes()[4096 * (root - 1) : 4096 * root]
    assert page[0] == 5, "the root of several pages"
    cell = int.from_bytes(page[12:14], "big")
    overwrite_page(path, int.from_bytes(page[cell : cell + 4], "big") - 1)


@pytest.fixture
def path(log: SqliteLog) -> Path:
    """A closed log of 120 samples."""
    for start in range(0, TAUGHT, 20):
        teach_all(log, ["a", "b"] * 10)
        assert log.count() == start + 20
    with log.transaction() as transaction:
        link(transaction, "b", "a")
    return log.path


def assert_what_is_left_is_as_it_was(directory: DataDirectory, least: int) -> list[int]:
    log = directory.open("w")
    left = list(log.all_samples())
    assert least <= len(left) <= TAUGHT
    for row in left:
        assert_same(row, sample(row.sample_id, "ab"[(row.sample_id - 1) % 2]))
    assert log.links() == {"b": "a"} and log.revision() > TAUGHT
    assert [row.sample_id for row in log.stale_samples(HASH)] == []
    teach_all(log, ["new"])
    new = log.samples(limit=1)[0]
    assert new.sample_id > TAUGHT, "an id is never used twice"
    log.close()
    return [row.sample_id for row in left]


def test_a_damaged_page_loses_only_its_own_rows(directory: DataDirectory, log: SqliteLog, path: Path) -> None:
    log.close()
    overwrite_leaf(path)
    damaged = path.read_bytes()
    with pytest.raises(DataLoss):
        directory.open("w")
    (checked,) = directory.verify("w")
    assert checked.problem and "haleganada repair --workspace w" in checked.hint
    assert path.read_bytes() == damaged, "verifying changes nothing"

    repaired = directory.repair("w")
    left = assert_what_is_left_is_as_it_was(directory, TAUGHT - 20)
    assert repaired.saved.lost == sorted(set(range(1, TAUGHT + 1)) - set(left)) != []
    assert f"lost are {len(repaired.saved.lost)} samples" in "; ".join(repaired.saved.describe())
    assert repaired.retired is not None
    kept = path.parent / "trash" / f"{repaired.retired.snapshot_id}.sqlite3"
    assert kept.read_bytes() == damaged


def test_the_rest_comes_from_the_newest_snapshot(directory: DataDirectory, log: SqliteLog, path: Path) -> None:
    kept = directory.save(log, "whole")
    log.close()
    overwrite_leaf(path)
    saved = directory.repair("w").saved
    assert saved.snapshot == kept and saved.from_snapshot and not saved.lost
    assert len(assert_what_is_left_is_as_it_was(directory, TAUGHT)) == TAUGHT


@pytest.mark.parametrize("page", range(0, 24, 3))
def test_any_page_may_be_damaged(directory: DataDirectory, log: SqliteLog, path: Path, page: int) -> None:
    directory.save(log, "whole")
    log.close()
    overwrite_page(path, page)
    try:
        directory.open("w").close()
    except DataLoss:
        directory.repair("w")
    assert_what_is_left_is_as_it_was(directory, TAUGHT)


def test_a_changed_label_is_as_the_events_say(directory: DataDirectory, log: SqliteLog, path: Path) -> None:
    log.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("UPDATE samples SET label = 'z' WHERE sample_id = 7")
    directory.repair("w")
    log = directory.open("w")
    found = log.sample(7)
    assert found is not None and found.label == "a" and log.count() == TAUGHT
    log.close()


@pytest.fixture
def lived_in(log: SqliteLog) -> SqliteLog:
    """A log of 60 samples, in which something was forgotten, renamed, linked and undone."""
    teach_all(log, ["a", "b"] * 30)
    with log.transaction() as transaction:
        forget(transaction, 3)
        link(transaction, "b", "a")
        transaction.set_label(5, "c")
        renamed = transaction.append(Event(ChangeKind.RELABEL, START_US, sample_id=5, label="c", previous="a"))
        transaction.set_label(5, "a")
        transaction.mark_undone(renamed, transaction.append(Event(ChangeKind.UNDO, START_US, target=renamed)))
    return log


def read_all(log: SqliteLog) -> list[Any]:
    """Return everything that a log holds but its last event."""
    with closing(sqlite3.connect(log.path)) as connection:
        events = connection.execute("SELECT * FROM events ORDER BY revision").fetchall()
        samples = connection.execute("SELECT * FROM samples ORDER BY sample_id").fetchall()
    return [events, samples, log.links(), log.created_us]


@pytest.mark.parametrize(
    "damage", ["UPDATE links SET canonical = 'z'", "UPDATE samples SET forgotten = 1 WHERE label = 'b'"]
)
def test_with_all_events_left_nothing_is_forgotten_and_undo_goes_on(
    directory: DataDirectory, lived_in: SqliteLog, damage: str
) -> None:
    events, *others = read_all(lived_in)
    lived_in.close()
    with closing(sqlite3.connect(lived_in.path)) as connection:
        connection.executescript(damage)
    with pytest.raises(DataLoss):
        directory.open("w")
    told = "; ".join(directory.repair("w").saved.describe())
    assert "undo goes on, and 1 forgotten samples" in told and "59 of 59 samples" in told
    log = directory.open("w")
    repaired, *after = read_all(log)
    assert repaired[:-1] == events and after == others
    assert log.revision() == events[-1][0] + 1, "the mark says which revisions were used"
    with log.transaction() as transaction:
        last = transaction.last_change()
    assert last is not None and last.kind is ChangeKind.LINK
    log.close()


def test_without_all_events_the_history_begins_anew_after_the_last_revision(
    directory: DataDirectory, lived_in: SqliteLog
) -> None:
    last, created_us = lived_in.revision(), lived_in.created_us
    lived_in.close()
    with closing(sqlite3.connect(lived_in.path)) as connection:
        connection.executescript("UPDATE events SET client = 'z' WHERE revision = 7")
    told = "; ".join(directory.repair("w").saved.describe())
    assert "not kept are forgotten samples" in told
    log = directory.open("w")
    assert [row.sample_id for row in log.all_samples()] == [n for n in range(1, 61) if n != 3]
    assert not list(log.forgotten_samples()) and log.links() == {"b": "a"} and log.created_us >= created_us
    with closing(sqlite3.connect(log.path)) as connection:
        assert connection.execute("SELECT MIN(revision) FROM events").fetchone()[0] == last + 1
    log.close()


def test_an_unreadable_file_without_a_mark_leaves_a_gap(directory: DataDirectory, lived_in: SqliteLog) -> None:
    last = lived_in.revision()
    lived_in.close()
    lived_in.path.with_name("mark").write_bytes(b"damaged")
    overwrite_page(lived_in.path, 0)
    directory.repair("w")
    log = directory.open("w")
    assert log.revision() > last + 1000
    log.close()


def test_a_snapshot_from_before_a_reset_brings_nothing_back(directory: DataDirectory, lived_in: SqliteLog) -> None:
    directory.save(lived_in, "before the reset")
    log, _ = directory.replace("w", lived_in, reset_event())
    teach_all(log, ["a"] * 5)
    log.close()
    with closing(sqlite3.connect(log.path)) as connection:
        connection.executescript("UPDATE events SET client = 'z' WHERE sample_id = 62")
    assert directory.repair("w").saved.from_snapshot == []
    again = directory.open("w")
    assert [row.sample_id for row in again.all_samples()] == [61, 62, 63, 64, 65]
    again.close()
