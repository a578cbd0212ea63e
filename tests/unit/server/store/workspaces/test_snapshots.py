"""Snapshots: what is saved or moved to the trash is complete, listed and can be restored; failures change nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from haleganada_server.core.errors import AlreadyExists, DataLoss, NotFound
from haleganada_server.core.files import file_sha256
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.core.workspaces.types import SnapshotInfo
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog

from tests.unit.server.store.rows import START_US, assert_same, sample, teach, teach_all


def restore_event(revision: int = 0) -> Event:
    return Event(ChangeKind.RESTORE, START_US, revision=revision)


def snapshot_file(data: Path, kept: SnapshotInfo) -> Path:
    folder = "trash" if kept.trash else "snapshots"
    return next(data.glob(f"workspaces/*/{folder}/{kept.snapshot_id}.sqlite3"))


def test_a_saved_snapshot_is_described_and_can_be_restored(
    directory: DataDirectory, data: Path, log: SqliteLog
) -> None:
    teach_all(log, ["a", "b"])
    kept = directory.save(log, "first")
    file = snapshot_file(data, kept)
    assert (kept.name, kept.revision, kept.samples_total, kept.trash) == ("first", 2, 2, False)
    assert (kept.bytes, kept.sha256) == (file.stat().st_size, file_sha256(file))
    assert abs(kept.created_us / 1e6 - time.time()) < 60
    teach_all(log, ["c"])

    retired = directory.retire(log, "w", "restore")
    assert retired is not None and (retired.revision, retired.samples_total, retired.trash) == (3, 3, True)
    assert retired.name == "before restore" and not directory.exists("w")
    back = directory.restore("w", kept.snapshot_id, restore_event(4))
    assert (back.revision(), back.count(), back.created_us) == (4, 2, log.created_us)
    assert_same(back.sample(2), sample(2, "b"))
    assert [known.snapshot_id for known in directory.snapshots("w")] == [retired.snapshot_id, kept.snapshot_id]
    back.close()


def test_a_discarded_snapshot_leaves_nothing(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["ಕ" * 64])
    kept = directory.save(log, "short-lived")
    pictures = list(data.glob("workspaces/*/snapshots/*-seed-files/training_images/**/*.png"))
    assert len(pictures) == 1 and max(len(part) for part in pictures[0].parts) < 255
    directory.discard("w", kept)
    assert directory.snapshots("w") == [] and not list(data.glob("workspaces/*/snapshots/*"))


def test_a_snapshot_can_be_restored_repeatedly(directory: DataDirectory, log: SqliteLog) -> None:
    with log.transaction() as transaction:
        teach(transaction, "a", request_id="once")
    kept = directory.save(log, "")
    for revision in (2, 3, 4):
        directory.retire(log, "w", "restore")
        log = directory.restore("w", kept.snapshot_id, restore_event(revision))
        assert (log.revision(), log.count()) == (revision, 1)
        with log.transaction() as transaction:
            assert transaction.answered("once") is not None
    log.close()


def test_revisions_continue_even_after_a_workspace_was_deleted(directory: DataDirectory, log: SqliteLog) -> None:
    teach_all(log, ["a"])
    kept = directory.save(log, "")
    teach_all(log, ["a"] * 9)
    directory.retire(log, "w", "delete")
    assert directory.names() == []
    back = directory.restore("w", kept.snapshot_id, restore_event())
    assert (back.revision(), back.count()) == (11, 1)
    back.close()


def test_a_deleted_workspace_can_be_restored_from_its_trash(directory: DataDirectory, log: SqliteLog) -> None:
    teach_all(log, ["a", "b"])
    retired = directory.retire(log, "w", "delete")
    assert retired is not None and directory.snapshots("w") == [retired]
    assert directory.retire(None, "w", "delete") is None
    back = directory.restore("w", retired.snapshot_id, restore_event())
    assert (back.count(), directory.names()) == (2, ["w"])
    back.close()


def test_each_workspace_has_its_own_snapshots(directory: DataDirectory, log: SqliteLog) -> None:
    kept = directory.save(log, "")
    assert directory.snapshots("other") == []
    with pytest.raises(NotFound):
        directory.restore("other", kept.snapshot_id, restore_event())
    with pytest.raises(AlreadyExists):
        directory.restore("w", kept.snapshot_id, restore_event())


@pytest.mark.parametrize("forged", ["", "../../log", "nothing", "r0-" + "0" * 12, "*"])
def test_an_unknown_snapshot_is_not_found(directory: DataDirectory, log: SqliteLog, forged: str) -> None:
    directory.save(log, "")
    directory.retire(log, "w", "restore")
    with pytest.raises(NotFound):
        directory.restore("w", forged, restore_event())


@pytest.mark.parametrize("where", [0.0, 0.5, 0.99])
def test_a_damaged_snapshot_is_refused_and_puts_nothing_in_place(
    directory: DataDirectory, data: Path, log: SqliteLog, where: float
) -> None:
    teach_all(log, ["a"] * 20)
    kept = directory.save(log, "")
    retired = directory.retire(log, "w", "restore")
    assert retired is not None
    file = snapshot_file(data, kept)
    content = bytearray(file.read_bytes())
    content[int(where * len(content))] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataLoss, match="damaged and cannot be restored"):
        directory.restore("w", kept.snapshot_id, restore_event())
    assert not directory.exists("w")
    back = directory.bring_back("w", retired)
    assert (back.revision(), back.count()) == (20, 20)
    assert [known.snapshot_id for known in directory.snapshots("w")] == [kept.snapshot_id]
    back.close()


def test_nothing_is_brought_back_over_an_existing_workspace(directory: DataDirectory, log: SqliteLog) -> None:
    retired = directory.retire(log, "w", "reset")
    assert retired is not None
    directory.create("w").close()
    with pytest.raises(AlreadyExists):
        directory.bring_back("w", retired)
    assert directory.snapshots("w") == [retired]


def test_a_snapshot_is_listed_while_both_its_files_exist(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    """Wherever the server is killed, nothing is listed that cannot be restored."""
    kept = [directory.save(log, str(number)) for number in range(4)]
    snapshot_file(data, kept[0]).unlink()
    snapshot_file(data, kept[1]).with_suffix(".json").unlink()
    snapshot_file(data, kept[2]).with_suffix(".json").write_text('{"snapshot_id": "half')
    assert directory.snapshots("w") == [kept[3]]


def test_ids_are_unique_even_if_the_clock_stands_still(
    directory: DataDirectory, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: START_US * 1000)
    kept = {directory.save(log, "same").snapshot_id for _ in range(5)}
    assert len(kept) == 5 and {known.snapshot_id for known in directory.snapshots("w")} == kept


def test_no_unfinished_files_remain(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a"])
    directory.save(log, "")
    retired = directory.retire(log, "w", "reset")
    assert retired is not None
    directory.restore("w", retired.snapshot_id, restore_event()).close()
    assert not list((data / "tmp").iterdir())
    assert not [path for path in data.rglob("*") if path.name.endswith((".new", "-wal", "-shm"))]


def test_saving_does_not_block_teaching(directory: DataDirectory, log: SqliteLog) -> None:
    """The snapshot, its counts and its seed files show the same moment, whatever is taught at the same time."""
    teach_all(log, ["a"] * 3)
    with log.transaction() as transaction:
        teach(transaction, "b")
        kept = directory.save(log, "during a commit")
    assert (kept.revision, kept.samples_total, log.count()) == (3, 3, 4)


def test_the_seed_files_are_beside_the_snapshot(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["ಕ್"])
    kept = directory.save(log, "")
    bare = directory.save(log, "", seed_files=False)
    folder = snapshot_file(data, kept).with_name(f"{kept.snapshot_id}-seed-files")
    records = json.loads((folder / "training_log.json").read_text(encoding="utf-8"))
    assert (folder / records[0]["image_path"]).read_bytes().startswith(b"\x89PNG")
    assert not snapshot_file(data, bare).with_name(f"{bare.snapshot_id}-seed-files").exists()
