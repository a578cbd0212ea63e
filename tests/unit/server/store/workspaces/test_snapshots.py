"""Snapshots: what is saved or moved to the trash is complete, listed and can be restored; failures change nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.files import file_sha256
from haleganada_server.core.workspaces.types import SnapshotInfo
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog

from tests.unit.server.store.rows import assert_same, restore_event, sample, teach_all


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


def test_a_snapshot_is_listed_while_both_its_files_exist(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    """Wherever the server is killed, nothing is listed that cannot be restored."""
    kept = [directory.save(log, str(number)) for number in range(4)]
    snapshot_file(data, kept[0]).unlink()
    snapshot_file(data, kept[1]).with_suffix(".json").unlink()
    snapshot_file(data, kept[2]).with_suffix(".json").write_text('{"snapshot_id": "half')
    assert directory.snapshots("w") == [kept[3]]


def test_no_unfinished_files_remain(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a"])
    directory.save(log, "")
    retired = directory.retire(log, "w", "reset")
    assert retired is not None
    directory.restore("w", retired.snapshot_id, restore_event()).close()
    assert not list((data / "tmp").iterdir())
    assert not [path for path in data.rglob("*") if path.name.endswith((".new", "-wal", "-shm"))]


def test_the_seed_files_are_beside_the_snapshot(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["ಕ್"])
    kept = directory.save(log, "")
    bare = directory.save(log, "", seed_files=False)
    folder = snapshot_file(data, kept).with_name(f"{kept.snapshot_id}-seed-files")
    records = json.loads((folder / "training_log.json").read_text(encoding="utf-8"))
    assert (folder / records[0]["image_path"]).read_bytes().startswith(b"\x89PNG")
    assert not snapshot_file(data, bare).with_name(f"{bare.snapshot_id}-seed-files").exists()
