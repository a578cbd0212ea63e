"""A workspace whose log has vanished is damaged, not new: its mark still says what it held."""

from __future__ import annotations

from pathlib import Path

import pytest
from haleganada_server.core.errors import AlreadyExists, DataLoss, NotFound
from haleganada_server.store import DataDirectory
from haleganada_server.store.backup.backup import Backup
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.store.rows import HASH, reset_event, restore_event, teach_all


@pytest.fixture
def kept(directory: DataDirectory, log: SqliteLog) -> str:
    """The snapshot of two samples of the workspace “w”, which was taught a third before its log vanished."""
    teach_all(log, ["a", "b"])
    kept = directory.save(log, "kept")
    teach_all(log, ["c"])
    log.close()
    log.path.unlink()
    return kept.snapshot_id


def test_it_is_listed_and_says_what_is_lost(directory: DataDirectory, kept: str) -> None:
    assert directory.names() == ["w"] and directory.exists("w")
    for ask in (lambda: directory.open("w"), lambda: directory.outline("w", HASH)):
        with pytest.raises(DataLoss, match=r"“w” is missing: .*with 3 samples at revision 3") as loss:
            ask()
        assert loss.value.reason == "WORKSPACE_CORRUPT"
        assert all(word in loss.value.message for word in ("put it back", "restore", "reset", "haleganada repair"))
    with pytest.raises(DataLoss, match=kept):
        directory.open("w")
    with pytest.raises(AlreadyExists):
        directory.create("w")


def test_a_reset_uses_no_revision_and_no_id_again(directory: DataDirectory, kept: str) -> None:
    again, retired = directory.replace("w", None, reset_event())
    assert retired is None and (again.revision(), again.count(), again.last_sample_id()) == (4, 0, 3)
    again.close()
    directory.open("w").close()
    assert [info.snapshot_id for info in directory.snapshots("w")] == [kept]


def test_a_restore_brings_the_snapshot_back(directory: DataDirectory, kept: str) -> None:
    again, retired = directory.replace("w", None, restore_event(), kept)
    assert retired is None and (again.revision(), again.count()) == (4, 2)
    teach_all(again, ["d"])
    assert again.samples(limit=1)[0].sample_id == 4
    again.close()


def test_a_repair_brings_the_snapshot_back(directory: DataDirectory, kept: str) -> None:
    (checked, _) = directory.verify("w")
    assert "is missing" in checked.problem and "2 more come from the snapshot" in checked.hint
    repaired = directory.repair("w")
    assert repaired.retired is None and repaired.saved.from_snapshot == [1, 2]
    with_rest = "; ".join(repaired.saved.describe())
    assert "0 of 3 samples" in with_rest and "1 further samples are lost" in with_rest
    log = directory.open("w")
    assert log.count() == 2 and log.last_sample_id() == 3
    assert log.revision() > 3
    log.close()


def test_a_deleted_one_is_no_loss(directory: DataDirectory, kept: str) -> None:
    assert directory.delete("w", None) is None
    assert directory.names() == [] and not directory.exists("w")
    with pytest.raises(NotFound):
        directory.open("w")
    created = directory.create("w")
    assert (created.revision(), created.last_sample_id()) == (4, 3)
    directory.delete("w", created)
    assert directory.names() == [], "nobody calls a deleted workspace lost"


def test_nothing_is_lost_with_a_workspace_that_was_never_taught(directory: DataDirectory, log: SqliteLog) -> None:
    log.close()
    log.path.unlink()
    assert directory.names() == []
    directory.create("w").close()


def test_a_log_that_vanishes_under_a_running_server_can_be_reset(directory: DataDirectory, log: SqliteLog) -> None:
    teach_all(log, ["a", "b"])
    log.path.unlink()
    again, retired = directory.replace("w", log, reset_event())
    assert retired is None and (again.revision(), again.count(), again.last_sample_id()) == (3, 0, 2)
    teach_all(again, ["c"])
    again.close()
    directory.open("w").close()


def test_a_backup_names_it(data: Path, tmp_path: Path, kept: str) -> None:
    (found,) = list(Backup(data, tmp_path / "copy").run())
    assert "“w”" in found.what and "is missing" in found.problem
    directory = DataDirectory(tmp_path / "copy", PillowRasterizer())
    assert directory.names() == ["w"] and [info.snapshot_id for info in directory.snapshots("w")] == [kept]
    directory.close()
