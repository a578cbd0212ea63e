"""Unreadable workspace files: DataLoss says how to recover, other workspaces still work, the file itself is kept."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log import schema
from haleganada_server.vision import PillowRasterizer
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.server.store.rows import HASH, reset_event, restore_event, teach_all


def _sql(statement: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(statement)

    return run


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _overwrite(start: int, length: int) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[start : start + length] = b"\xa5" * length
        path.write_bytes(content)

    return run


def _every_second_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 8192):
        content[start : start + 64] = b"\xa5" * 64
    path.write_bytes(content)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "another kind of file": lambda path: path.write_bytes(b"GIF89a" * 1000),
    "cut in half": _cut,
    "header": _overwrite(0, 100),
    "magic": _overwrite(0, 1),
    "middle": _every_second_page,
    "no samples": _sql("DROP TABLE samples"),
    "no events": _sql("DROP TABLE events"),
    "no meta": _sql("DELETE FROM meta"),
    "another application's": _sql("PRAGMA application_id = 1"),
    "a damaged embedding": _sql("UPDATE samples SET embedding = x'0000C07F' || substr(embedding, 5)"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_data_loss_and_recovery(
    directory: DataDirectory, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = directory.create("bad"), directory.create("good")
    for log in (bad, good):
        teach_all(log, ["a"] * 40)
    kept = directory.save(bad, "to go back to")
    for log in (bad, good):
        log.close()
    damage(bad.path)
    damaged = bad.path.read_bytes()

    with pytest.raises(DataLoss) as loss:
        list(directory.open("bad").embeddings(HASH))
    for word in ("“bad”", "Restore one of its snapshots", "reset", "trash"):
        assert word in loss.value.message
    assert str(bad.path.parent) not in loss.value.message
    assert directory.names() == ["bad", "good"]
    opened = directory.open("good")
    assert opened.count() == 40
    opened.close()

    back, retired = directory.replace("bad", None, restore_event(), kept.snapshot_id)
    assert retired is not None and retired.trash
    assert back.count() == 40 and back.revision() > 40, "no reader has seen a later revision"
    back.close()
    in_trash = back.path.parent / "trash" / f"{retired.snapshot_id}.sqlite3"
    assert in_trash.read_bytes() == damaged


def test_the_newest_snapshots_are_named_and_what_was_tried_is_logged(
    directory: DataDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    log = directory.create("w")
    teach_all(log, ["a"] * 40)
    kept = [directory.save(log, f"save {number}") for number in range(4)]
    log.close()
    _every_second_page(log.path)
    with pytest.raises(DataLoss) as loss:
        directory.open("w")
    assert [known.snapshot_id in loss.value.message for known in kept] == [False, True, True, True]
    assert "with its journal" in caplog.text and "without its journal" in caplog.text


def test_restoring_the_damaged_file_itself_fails_and_changes_nothing(directory: DataDirectory) -> None:
    log = directory.create("w")
    teach_all(log, ["a"] * 40)
    log.close()
    _every_second_page(log.path)
    log, retired = directory.replace("w", None, reset_event())
    assert retired is not None
    with pytest.raises(DataLoss):
        directory.replace("w", log, restore_event(), retired.snapshot_id)
    assert not log.closed and directory.snapshots("w") == [retired]
    log.close()


def test_a_damaged_journal_is_not_taken_for_a_shorter_log(directory: DataDirectory) -> None:
    """SQLite skips frames whose checksum is wrong, as if they had never been written; the mark knows better."""
    log = directory.create("w")
    teach_all(log, ["a"] * 5)
    log.checkpoint()
    teach_all(log, ["b"])
    main, journal = log.path.read_bytes(), log.path.with_name("log.sqlite3-wal").read_bytes()
    log.close()
    log.path.write_bytes(main)
    log.path.with_name("log.sqlite3-wal").write_bytes(b"\0" * len(journal))
    with pytest.raises(DataLoss, match="the last change is missing, revision 6; it had 6 samples, 5 are left"):
        directory.open("w")


def test_a_file_of_a_newer_server_is_refused_but_not_called_damaged(directory: DataDirectory) -> None:
    log = directory.create("w")
    log.close()
    _sql(f"PRAGMA user_version = {schema.VERSION + 1}")(log.path)
    with pytest.raises(DataLoss, match="newer version of this server; update") as loss:
        directory.open("w")
    assert loss.value.reason == "WORKSPACE_TOO_NEW"


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_acknowledged_for_a_deleted_file(directory: DataDirectory, replaced: bool) -> None:
    log = directory.create("w")
    teach_all(log, ["a"])
    content = log.path.read_bytes()
    log.path.unlink()
    if replaced:
        log.path.write_bytes(content)
    with pytest.raises(DataLoss, match="moved or deleted while the server was running"):
        teach_all(log, ["b"])
    assert log.count() == 1, "reads still work"
    log.close()


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=32)), min_size=1))
@example([(0.07421875, b"\x80")])  # SQLite's message quotes the damaged byte
@example([(0.0011519484859401352, b"\x05")])  # in the header, the schema's format
def test_any_damage_gives_a_domain_error(damages: list[tuple[float, bytes]]) -> None:
    """Whatever bytes are overwritten, the file opens or DataLoss says why not."""
    with tempfile.TemporaryDirectory() as folder:
        directory = DataDirectory(Path(folder), PillowRasterizer())
        log = directory.create("w")
        teach_all(log, ["a", "b"] * 4)
        log.close()
        content = bytearray(log.path.read_bytes())
        for where, noise in damages:
            start = int(where * len(content))
            content[start : start + len(noise)] = noise[: len(content) - start]
        log.path.write_bytes(content)
        with suppress(DataLoss), closing(directory.open("w")) as opened:
            for read in (opened.links, opened.revision, opened.count):
                read()
            for search in (opened.embeddings, opened.stale_samples):
                list(search(HASH))
        directory.close()
