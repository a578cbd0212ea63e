"""Snapshots: what is saved or moved to the trash is complete, listed and can be restored; failures change nothing."""

from __future__ import annotations

import json
import sqlite3
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.workspaces.types import SnapshotInfo, TransferFormat
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.store.rows import assert_same, reset_event, restore_event, sample, teach_all


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

    back, retired = directory.replace("w", log, restore_event(4), kept.snapshot_id)
    assert retired is not None and (retired.revision, retired.samples_total, retired.trash) == (3, 3, True)
    assert retired.name == "before restore"
    assert (back.revision(), back.count(), back.created_us) == (4, 2, log.created_us)
    assert_same(back.sample(2), sample(2, "b"))
    assert [known.snapshot_id for known in directory.snapshots("w")] == [retired.snapshot_id, kept.snapshot_id]
    back.close()


def test_a_discarded_snapshot_leaves_nothing(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a"])
    kept = directory.save(log, "short-lived")
    assert directory.discard("w", kept) == kept.bytes > 0
    assert directory.snapshots("w") == [] and not list(data.glob("workspaces/*/snapshots/*"))
    assert not list((data / "tmp").iterdir()) and directory.discard("w", kept) == 0


def test_the_same_state_is_kept_once(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a"] * 100)
    one, two = directory.save(log, "one"), directory.save(log, "two")
    assert (one.sha256, one.revision, one.samples_total) == (two.sha256, two.revision, two.samples_total)
    assert snapshot_file(data, one).samefile(snapshot_file(data, two))
    teach_all(log, ["a"])
    three = directory.save(log, "three")
    assert not snapshot_file(data, one).samefile(snapshot_file(data, three))
    assert directory.discard("w", one) == 0
    assert directory.is_sound("w", two) and directory.discard("w", two) == two.bytes


def test_a_damaged_file_is_not_shared(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a"] * 100)
    bad = directory.save(log, "bad")
    content = bytearray(snapshot_file(data, bad).read_bytes())
    content[-1] ^= 1
    snapshot_file(data, bad).write_bytes(content)
    good = directory.save(log, "good")
    assert directory.is_sound("w", good) and not directory.is_sound("w", bad)


def test_a_copy_of_damaged_rows_is_no_way_back(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a", "b"])
    kept = directory.save(log, "kept")
    assert directory.is_sound("w", kept)
    file = snapshot_file(data, kept)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE samples SET label = 'c' WHERE sample_id = 1")
    assert not directory.is_sound("w", replace(kept, sha256=file_sha256(file)))


def test_another_state_of_the_same_revision_is_not_shared(directory: DataDirectory, log: SqliteLog) -> None:
    """As after a crash of the disk that loses the log and all that remembers its revisions."""
    with log.transaction() as transaction:
        transaction.append(restore_event(1))
    one = directory.save(log, "one")
    log.close()
    for lost in (log.path, log.path.with_name("mark")):
        lost.unlink()
    snapshots = log.path.with_name("snapshots").rename(log.path.with_name("found-later"))
    other = directory.create("w")
    snapshots.rename(log.path.with_name("snapshots"))
    with other.transaction() as transaction:
        transaction.append(replace(restore_event(1), time_us=5))
    assert directory.save(other, "two").sha256 != one.sha256
    other.close()


def test_the_next_start_finishes_what_a_kill_interrupts(tmp_path: Path) -> None:
    data = tmp_path / "killed"
    directory = DataDirectory(data, PillowRasterizer())
    log = directory.create("w")
    teach_all(log, ["a"])
    kept = [directory.save(log, str(number)) for number in range(3)]
    snapshot_file(data, kept[0]).rename(data / "tmp" / "0123456789abcdef01234567")  # as discard() begins
    log.close()
    directory.close()
    directory = DataDirectory(data, PillowRasterizer())
    assert directory.snapshots("w") == [kept[2], kept[1]]
    assert len(list(data.glob("workspaces/*/snapshots/*"))) == 4 and not list((data / "tmp").iterdir())
    directory.close()


def test_manifests_of_earlier_versions_are_read(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    kept = directory.save(log, "old")
    manifest = snapshot_file(data, kept).with_suffix(".json")
    fields = json.loads(manifest.read_text())
    assert fields.pop("kind") == "saved" and fields.pop("check")
    manifest.write_text(json.dumps(fields))
    assert directory.snapshots("w") == [kept]


@pytest.mark.parametrize("where", [0.0, 0.5, 0.99])
def test_a_damaged_snapshot_is_refused_and_puts_nothing_in_place(
    directory: DataDirectory, data: Path, log: SqliteLog, where: float
) -> None:
    teach_all(log, ["a"] * 20)
    kept = directory.save(log, "")
    file = snapshot_file(data, kept)
    content = bytearray(file.read_bytes())
    content[int(where * len(content))] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataLoss, match="damaged and cannot be restored"):
        directory.replace("w", log, restore_event(), kept.snapshot_id)
    assert not log.closed and (log.revision(), log.count()) == (20, 20)
    assert [known.snapshot_id for known in directory.snapshots("w")] == [kept.snapshot_id]


def test_a_snapshot_is_listed_while_its_file_exists(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    """Wherever the server is killed, nothing is listed that cannot be restored, unless it is damaged."""
    kept = [directory.save(log, str(number)) for number in range(4)]
    snapshot_file(data, kept[0]).unlink()
    snapshot_file(data, kept[1]).with_suffix(".json").unlink()
    snapshot_file(data, kept[2]).with_suffix(".json").write_text('{"snapshot_id": "half')
    assert {(known.snapshot_id, known.name) for known in directory.snapshots("w")} == {
        (kept[3].snapshot_id, "3"),
        (kept[2].snapshot_id, "damaged"),
        (kept[1].snapshot_id, "damaged"),
    }


def test_no_unfinished_files_remain(directory: DataDirectory, data: Path, log: SqliteLog) -> None:
    teach_all(log, ["a"])
    directory.save(log, "")
    log, retired = directory.replace("w", log, reset_event())
    assert retired is not None
    directory.replace("w", log, restore_event(), retired.snapshot_id)[0].close()
    assert not list((data / "tmp").iterdir())
    assert not [path for path in data.rglob("*") if path.name.endswith((".new", "-wal", "-shm"))]


@pytest.mark.parametrize("form", list(TransferFormat))
def test_a_snapshot_is_exported_as_it_was(directory: DataDirectory, log: SqliteLog, form: TransferFormat) -> None:
    teach_all(log, ["ಕ್"])
    kept, before = directory.save(log, ""), directory.export(log, form)
    teach_all(log, ["b"])
    exported = directory.export_snapshot("w", kept.snapshot_id, form)
    assert (exported.samples_total, exported.revision) == (1, 1)
    assert read_members(exported.path) == read_members(before.path)
    exported.close()
    before.close()


def read_members(path: Path) -> dict[str, bytes]:
    """Return the files in a zip by name; any other file as one."""
    if not zipfile.is_zipfile(path):
        return {"": path.read_bytes()}
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.mark.parametrize("damage", [lambda text: text.replace("one", "oNe"), lambda _text: "{", lambda _text: "[]"])
def test_a_snapshot_with_a_damaged_manifest_is_listed_and_not_restored(
    directory: DataDirectory, data: Path, log: SqliteLog, damage: Callable[[str], str]
) -> None:
    kept = directory.save(log, "one")
    manifest = snapshot_file(data, kept).with_suffix(".json")
    manifest.write_text(damage(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    (listed,) = directory.snapshots("w")
    assert (listed.snapshot_id, listed.name) == (kept.snapshot_id, "damaged")
    assert not directory.is_sound("w", listed)
    with pytest.raises(DataLoss):
        directory.replace("w", log, restore_event(), kept.snapshot_id)
    assert log.count() == 0
