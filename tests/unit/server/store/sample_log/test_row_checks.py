"""Rows that are not as they were written: told when a log is opened, or made again where they can be."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.sample_log.rows import ChangeKind, EmbeddedSamples, Event, LogState, StaleSample
from haleganada_server.store.sample_log import log as log_module
from haleganada_server.store.sample_log import schema
from haleganada_server.store.sample_log.integrity.checks import RowChecks
from haleganada_server.store.sample_log.log import SqliteLog

from tests.unit.server.store.rows import HASH, START_US, assert_same, forget, link, sample, teach, teach_all

SWAP_TWO_SAMPLES = """
UPDATE samples SET sample_id = -1 WHERE sample_id = 2;
UPDATE samples SET sample_id = 2 WHERE sample_id = 3;
UPDATE samples SET sample_id = 3 WHERE sample_id = -1;
"""
DAMAGES = {
    "a label": ("UPDATE samples SET label = 'b' WHERE sample_id = 3", "sample 3"),
    "a label that is no text": ("UPDATE samples SET label = x'ff' WHERE sample_id = 3", "sample 3"),
    "a loss": ("UPDATE samples SET loss = loss * 2 WHERE sample_id = 3", "sample 3"),
    "a flag": ("UPDATE samples SET forgotten = 1 WHERE sample_id = 3", "sample 3"),
    "a flag that is neither 0 nor 1": ("UPDATE samples SET forgotten = 4 WHERE sample_id = 3", "sample 3"),
    "two samples swapped": (SWAP_TWO_SAMPLES, "2 samples: 2, 3"),
    "a sample less": ("DELETE FROM samples WHERE sample_id = 5", "sample 5 missing"),
    "two samples less": ("DELETE FROM samples WHERE sample_id > 4", "2 samples: 5, 6 missing"),
    "an event": ("UPDATE events SET label = 'b' WHERE revision = 2", "the change of revision 2"),
    "an event's answer": ("UPDATE events SET answer = 'x' WHERE revision = 2", "the change of revision 2"),
    "an event less": ("DELETE FROM events WHERE revision = 2", "the change of revision 3"),
    "an unknown kind of event": ("UPDATE events SET kind = 'tEach' WHERE revision = 2", "the change of revision 2"),
    "an event that is not undone": ("UPDATE events SET undone_by = 0", "the change of revision 8"),
    "an event that is undone": ("UPDATE events SET undone_by = 9 WHERE revision = 2", "the change of revision 2"),
    "a link": ("UPDATE links SET canonical = 'c'", "the links between labels"),
    "a link less": ("DELETE FROM links", "the links between labels"),
    "the name": ("UPDATE meta SET value = 'v' WHERE key = 'name'", "samples"),
    "the time of creation": ("UPDATE meta SET value = '1' WHERE key = 'created_us'", "samples"),
    "a table's declaration": (
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'forgotten INTEGER NOT NULL DEFAULT "
        "0', 'forgotten INTEGER NOT NULL DEFAULT 8')",
        "the declaration of a table",
    ),
}


def run_sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statement)


def open_log(path: Path) -> SqliteLog:
    return SqliteLog(path, "w")


@pytest.fixture(params=["small", "large"])
def path(log: SqliteLog, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A closed log: six samples, a forgotten one, an undone change, a link; to be opened as a small or a large one."""
    if request.param == "large":
        monkeypatch.setattr(log_module, "_LARGE", 0)
    teach_all(log, ["a", "a", "a", "b", "b"])
    with log.transaction() as transaction:
        teach(transaction, "c")
        forget(transaction, 4)
        relabel = transaction.append(Event(ChangeKind.RELABEL, START_US, sample_id=1, label="z", previous="a"))
        undo = transaction.append(Event(ChangeKind.UNDO, START_US, sample_id=1, label="z", target=relabel))
        transaction.mark_undone(relabel, undo)
        link(transaction, "b", "a")
    log.close()
    return log.path


def test_what_was_written_is_sound(path: Path) -> None:
    log = open_log(path)
    with log.transaction() as transaction:
        transaction.set_label(2, "n")
        transaction.append(Event(ChangeKind.RELABEL, START_US, sample_id=2, label="n", previous="a"))
        kept = replace(sample(transaction.next_sample_id()), loss=-0.0, revision=12)
        transaction.add_sample(kept)
        transaction.append(Event(ChangeKind.TEACH, START_US, sample_id=kept.sample_id, label=kept.label))
    log.close()
    log = open_log(path)
    assert_same(log.sample(kept.sample_id), kept)
    log.close()


@pytest.mark.parametrize(("statement", "named"), DAMAGES.values(), ids=DAMAGES.keys())
def test_damage_is_told_when_the_log_is_opened(path: Path, statement: str, named: str) -> None:
    run_sql(path, statement)
    with pytest.raises(DataLoss) as loss:
        open_log(path)
    for words in (named, "“w”", "haleganada verify", "haleganada repair"):
        assert words in loss.value.message


@pytest.mark.parametrize(
    "damage", ["CAST(x'0000C07F' || substr(embedding, 5) AS BLOB)", "zeroblob(length(embedding))", "x'00'"]
)
def test_a_damaged_embedding_is_stale(path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    run_sql(path, f"UPDATE samples SET embedding = {damage} WHERE sample_id IN (2, 4)")
    for _ in range(2):
        log = open_log(path)
        assert [row.sample_id for row in log.stale_samples(HASH)] == [2, 4]
        assert [sample_id for block in log.embeddings(HASH) for sample_id in block.sample_ids] == [1, 3, 5, 6]
        log.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "the embeddings of 2 samples are damaged" in caplog.text


def test_a_swapped_embedding_is_stale(path: Path) -> None:
    run_sql(
        path,
        "UPDATE samples SET (embedding, embedding_check) = (SELECT embedding, embedding_check FROM samples WHERE "
        "sample_id = 1) WHERE sample_id = 2",
    )
    log = open_log(path)
    assert [row.sample_id for row in log.stale_samples(HASH)] == [2]
    log.close()


@pytest.mark.parametrize("number", [1, 128, 129, 256, 300])
def test_what_is_damaged_is_named_in_a_long_log_too(log: SqliteLog, number: int) -> None:
    teach_all(log, ["a"] * 300)
    log.close()
    run_sql(log.path, f"UPDATE events SET client = 'b' WHERE revision = {number}")
    with pytest.raises(DataLoss, match=rf"\(the change of revision {number}\)"):
        open_log(log.path)
    run_sql(log.path, "UPDATE events SET client = 'tester'")
    run_sql(log.path, f"UPDATE samples SET loss = 0.25 WHERE sample_id = {number}")
    with pytest.raises(DataLoss, match=rf"\(sample {number}\)"):
        open_log(log.path)


def test_checks_of_many_rows_are_those_of_each() -> None:
    checks = RowChecks("w", 7)
    events = [
        (i, 2, 3, 4, "teach", None if i % 2 else "r", "c", "ಅ", "", "", "{}", b"h" * (i % 3)) for i in range(1, 6)
    ]
    before = [bytes([i]) * 16 for i in range(5)]
    assert checks.event_digests(before, list(zip(*events, strict=True))) == [
        checks.event_digest(digest, event) for digest, event in zip(before, events, strict=True)
    ]
    facts = [(i, 0, 1, 0, 5, 6, 7, -0.0 if i % 2 else 0.5, "ಅ", "\U0001f600" * (i % 2)) for i in range(5)]
    assert checks.facts_checks(list(zip(*facts, strict=True))) == [checks.facts_check(row) for row in facts]
    embeddings = [(i, HASH, bytes([i]) * 32) for i in range(5)]
    assert checks.embedding_checks(*zip(*embeddings, strict=True)) == [
        checks.embedding_check(*row) for row in embeddings
    ]


def test_a_damaged_drawing_is_told_when_it_is_used(path: Path) -> None:
    run_sql(path, "UPDATE samples SET glyph = (SELECT glyph FROM samples WHERE sample_id = 1) WHERE sample_id = 2")
    log = open_log(path)
    damaged, sound = log.sample(2), log.sample(3)
    assert damaged is not None and damaged.glyph == b"", "what cannot be decoded"
    assert_same(sound, sample(3, "a"))
    with log.transaction() as transaction:
        forget(transaction, 2)
    log.close()


def test_rows_of_another_workspace_do_not_fit(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite3"
    schema.create(other, "w", 1)
    log = open_log(other)
    teach_all(log, ["a", "a", "a", "b", "b", "c"])
    log.close()
    run_sql(
        path,
        f"ATTACH '{other}' AS other; DELETE FROM samples WHERE sample_id = 3; "
        "INSERT INTO samples SELECT * FROM other.samples WHERE sample_id = 3",
    )
    with pytest.raises(DataLoss, match="sample 3"):
        open_log(path)


def test_a_damaged_index_is_made_again(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run_sql(  # an index that was built for other rows lacks these
        path,
        "PRAGMA writable_schema = ON; "
        "UPDATE sqlite_master SET sql = replace(sql, 'forgotten = 0', 'forgotten = 9') WHERE name = 'samples_by_label'",
    )
    run_sql(path, "REINDEX samples_by_label")
    run_sql(
        path,
        "PRAGMA writable_schema = ON; "
        "UPDATE sqlite_master SET sql = replace(sql, 'forgotten = 9', 'forgotten = 0') WHERE name = 'samples_by_label'",
    )
    visitor = Visitor()
    log = SqliteLog(path, "w", visitor=visitor)
    assert log.count("a") == 3 and "an index was damaged" in caplog.text
    assert [sample_id for block in visitor.blocks for sample_id in block.sample_ids] == [1, 2, 3, 5, 6]
    log.close()


def test_files_without_checks_get_them(path: Path) -> None:
    remove_checks(path)
    log = open_log(path)
    assert_same(log.sample(3), sample(3, "a"))
    log.close()
    run_sql(path, "UPDATE samples SET label = 'b' WHERE sample_id = 3")
    with pytest.raises(DataLoss, match="sample 3"):
        open_log(path)


def test_a_file_without_checks_is_compared_with_its_events(path: Path) -> None:
    remove_checks(path)
    run_sql(path, "UPDATE samples SET label = 'b' WHERE sample_id = 3")
    with pytest.raises(DataLoss, match="sample 3"):
        open_log(path)


def test_an_impossible_embedding_without_checks_is_stale(path: Path) -> None:
    remove_checks(path)
    run_sql(
        path, "UPDATE samples SET embedding = CAST(x'0000C07F' || substr(embedding, 5) AS BLOB) WHERE sample_id = 2"
    )
    log = open_log(path)
    assert [row.sample_id for row in log.stale_samples(HASH)] == [2]
    log.close()


def remove_checks(path: Path) -> None:
    """Make the file one of version 1."""
    columns = ["samples DROP COLUMN " + name for name in ("facts_check", "embedding_check", "glyph_check")]
    drop = "; ".join(f"ALTER TABLE {column}" for column in [*columns, "events DROP COLUMN digest"])
    run_sql(path, f"{drop}; PRAGMA user_version = 1")


class Visitor:
    """Keeps what it is shown."""

    embedder_hash = HASH

    def begin(self) -> None:
        self.blocks: list[EmbeddedSamples] = []
        self.stale: list[StaleSample] = []

    def add(self, block: EmbeddedSamples) -> None:
        self.blocks.append(block)

    def add_stale(self, sample: StaleSample) -> None:
        self.stale.append(sample)

    def take_state(self, state: LogState) -> None:
        self.state = state


def test_a_visitor_sees_what_is_read_afterwards(path: Path) -> None:
    run_sql(path, "UPDATE samples SET embedding = zeroblob(length(embedding)) WHERE sample_id IN (2, 4)")
    visitor = Visitor()
    log = SqliteLog(path, "w", visitor=visitor)
    (block,), (read,) = visitor.blocks, log.embeddings(HASH)
    assert (block.sample_ids, block.labels) == (read.sample_ids, read.labels) == ([1, 3, 5, 6], ["a", "a", "b", "c"])
    np.testing.assert_array_equal(block.embeddings, read.embeddings)
    assert visitor.state.class_ids == log.class_ids() == {"a": 0, "b": 1, "c": 2, "z": 3}
    found = (visitor.state.revision, visitor.state.samples_total, visitor.state.links)
    assert found == (log.revision(), log.count(), log.links())
    assert visitor.stale == log.stale_samples(HASH) == [StaleSample(2, "a", False), StaleSample(4, "b", True)]
    log.close()
