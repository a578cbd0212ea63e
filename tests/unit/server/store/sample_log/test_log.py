"""One workspace's log: the guarantees of a commit, what is read back, and what readers see during a commit."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss, Unavailable
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log import log as log_module
from haleganada_server.store.sample_log.log import SqliteLog

from tests.unit.server.store.rows import DIM, HASH, assert_same, forget, link, read_embeddings, sample, teach_all


def test_a_new_log_has_no_embedding_dimension(log: SqliteLog) -> None:
    assert log.embedding_dimension() == 0


def test_embeddings_of_different_dimensions_are_not_mixed(log: SqliteLog) -> None:
    teach_all(log, ["a", "b", "c"])
    with log.transaction() as transaction:
        transaction.set_embedding(2, np.zeros(4, dtype=np.float32), "f" * 64)
    assert read_embeddings(log, "f" * 64)[2].shape == (1, 4), "other weights may have another dimension"
    assert read_embeddings(log)[2].shape == (2, DIM) and log.embedding_dimension() == DIM
    with log.transaction() as transaction:
        transaction.set_embedding(1, np.zeros(4, dtype=np.float32), HASH)
    with pytest.raises(DataLoss, match="differ in length"):
        read_embeddings(log)


def test_embeddings_of_different_dimensions_are_told_although_they_come_in_different_blocks(log: SqliteLog) -> None:
    teach_all(log, ["a"] * 2100)
    with log.transaction() as transaction:
        for number in range(2049, 2101):
            transaction.set_embedding(number, np.zeros(4, dtype=np.float32), HASH)
    with pytest.raises(DataLoss, match="differ in length"):
        read_embeddings(log)


def test_closing_leaves_one_file_that_holds_everything(data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a"] * 3)
    log.close()
    assert [path.name for path in log.path.parent.glob("log.*")] == ["log.sqlite3"]


def test_a_copy_is_the_whole_state(log: SqliteLog, tmp_path: Path) -> None:
    teach_all(log, ["a", "b"])
    with log.transaction() as transaction:
        forget(transaction, 1)
        link(transaction, "b", "a")
    target = tmp_path / "copy ? # %41.sqlite3"
    log.copy_to(target)
    copy = SqliteLog(target, "w")
    assert (copy.revision(), copy.created_us, copy.links()) == (log.revision(), log.created_us, {"b": "a"})
    assert_same(copy.sample(2), sample(2, "b"))
    assert [row.sample_id for row in copy.forgotten_samples()] == [1]
    copy.close()


def test_a_log_that_the_disk_failed_stays_closed_for_writing_when_it_is_opened_again(
    directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after it was unloaded: only a restart of the server makes it writable."""
    log = directory.create("w")
    teach_all(log, ["a"])
    with monkeypatch.context() as patch, pytest.raises(Unavailable):
        patch.setattr(log_module, "reach", fail_before_the_commit)
        teach_all(log, ["b"])
    log.close()
    log = directory.open("w")
    assert log.count() == 1
    with pytest.raises(Unavailable) as refused:
        teach_all(log, ["b"])
    assert refused.value.reason == "WRITING_STOPPED"
    log.close()
    other = directory.create("other")
    teach_all(other, ["a"])
    other.close()


def fail_before_the_commit(point: str) -> None:
    if point == "commit.before":
        raise OSError(errno.EIO, os.strerror(errno.EIO))
