"""The mark beside a log: what it holds, how it outlives torn writes and kills, and what it notices."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.sample_log.mark import Mark, MarkFile

from tests.unit.server.store.rows import teach_all

MARK = Mark(revision=7, last_sample_id=5, digest=bytes(range(16)), samples_total=4)


def write(path: Path, *marks: Mark) -> None:
    file = MarkFile(path)
    for mark in marks:
        file.write(mark)
    file.close()


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    assert MarkFile(path).read() is None
    write(path, Mark(revision=1), MARK)
    assert MarkFile(path).read() == MARK
    deleted = Mark(revision=8, deleted=True)
    write(path, deleted)  # by another MarkFile
    assert MarkFile(path).read() == deleted


@pytest.mark.parametrize("number", range(1, 4))
def test_a_torn_write_leaves_the_mark_before_it(tmp_path: Path, number: int) -> None:
    path = tmp_path / "mark"
    write(path, *(Mark(revision=n) for n in range(1, number + 1)))
    before = path.read_bytes()
    write(path, MARK)
    after = path.read_bytes()
    changed = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    for torn in range(changed[0] + 1, changed[-1] + 1):
        path.write_bytes(after[:torn] + before[torn:])
        assert MarkFile(path).read() == Mark(revision=number)


def test_a_damaged_mark_is_told_and_written_anew(
    directory: DataDirectory, log: SqliteLog, caplog: pytest.LogCaptureFixture
) -> None:
    teach_all(log, ["a", "b"])
    log.close()
    path = log.path.with_name("mark")
    path.write_bytes(b"?" * path.stat().st_size)
    with caplog.at_level(logging.WARNING):
        directory.open("w").close()
    assert "mark" in caplog.text
    assert (
        MarkFile(path).read() == log.mark == Mark(revision=2, last_sample_id=2, digest=log.mark.digest, samples_total=2)
    )


def test_the_mark_follows_each_commit(log: SqliteLog) -> None:
    path = log.path.with_name("mark")
    teach_all(log, ["a", "b", "c"])
    digest = log.digest_at(3)
    with log.transaction() as transaction:
        transaction.set_forgotten(2, True)
        transaction.set_forgotten(2, True)
    expected = Mark(revision=3, last_sample_id=3, digest=digest, samples_total=2)
    assert MarkFile(path).read() == expected
    with pytest.raises(ZeroDivisionError), log.transaction() as transaction:
        transaction.set_forgotten(1, True)
        _ = 1 / 0
    assert MarkFile(path).read() == log.mark == expected


def test_a_log_that_lost_its_end_is_told(directory: DataDirectory, log: SqliteLog, tmp_path: Path) -> None:
    teach_all(log, ["a"])
    log.checkpoint()
    shutil.copy(log.path, tmp_path / "earlier")
    teach_all(log, ["b", "c"])
    log.close()
    shutil.copy(tmp_path / "earlier", log.path)
    with pytest.raises(DataLoss, match="2 changes are missing, revisions 2 to 3; it had 3 samples, 1 are left"):
        directory.open("w")


def test_a_mark_that_is_behind_is_brought_up_to_date(directory: DataDirectory, log: SqliteLog) -> None:
    path = log.path.with_name("mark")
    teach_all(log, ["a"])
    behind = path.read_bytes()
    teach_all(log, ["b", "c"])
    log.close()
    path.write_bytes(behind)  # as after a power failure
    reopened = directory.open("w")
    expected = Mark(revision=3, last_sample_id=3, digest=reopened.digest_at(3), samples_total=3)
    assert MarkFile(path).read() == reopened.mark == expected
    reopened.close()
