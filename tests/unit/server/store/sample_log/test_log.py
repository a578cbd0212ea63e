"""One workspace's log: the guarantees of a commit, what is read back, and what readers see during a commit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.store.sample_log.log import SqliteLog

from tests.unit.server.store.rows import DIM, HASH, assert_same, sample, teach_all


def test_a_new_log_has_no_embedding_dimension(log: SqliteLog) -> None:
    assert log.embedding_dimension() == 0


def test_embeddings_of_different_dimensions_are_not_mixed(log: SqliteLog) -> None:
    teach_all(log, ["a", "b", "c"])
    with log.transaction() as transaction:
        transaction.set_embedding(2, np.zeros(4, dtype=np.float32), "f" * 64)
    assert log.embeddings("f" * 64)[2].shape == (1, 4), "other weights may have another dimension"
    assert log.embeddings(HASH)[2].shape == (2, DIM) and log.embedding_dimension() == DIM
    with log.transaction() as transaction:
        transaction.set_embedding(1, np.zeros(4, dtype=np.float32), HASH)
    with pytest.raises(DataLoss, match="differ in length"):
        log.embeddings(HASH)


def test_closing_leaves_one_file_that_holds_everything(data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a"] * 3)
    log.close()
    assert [path.name for path in log.path.parent.glob("log.*")] == ["log.sqlite3"]


def test_a_copy_is_the_whole_state(log: SqliteLog, tmp_path: Path) -> None:
    teach_all(log, ["a", "b"])
    with log.transaction() as transaction:
        transaction.set_forgotten(1, True)
        transaction.set_canonical("b", "a")
    target = tmp_path / "copy ? # %41.sqlite3"
    log.copy_to(target)
    copy = SqliteLog(target, "w")
    assert (copy.revision(), copy.created_us, copy.links()) == (log.revision(), log.created_us, {"b": "a"})
    assert_same(copy.sample(2), sample(2, "b"))
    assert [row.sample_id for row in copy.forgotten_samples()] == [1]
    copy.close()
