"""Real errors of SQLite and of the system are translated to those of the domain."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from haleganada_server.core.errors import DataLoss, Exhausted, Unavailable
from haleganada_server.store import disk_probe
from haleganada_server.store.errors import storage_errors

from tests.unit.server.store.descriptors import no_free_descriptors


def _read_only(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("DELETE FROM t")


def _locked_by_another(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, closing(sqlite3.connect(path, timeout=0)) as connection:
        other.execute("BEGIN EXCLUSIVE")
        connection.execute("SELECT * FROM t")


def _closed(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.close()
    connection.execute("SELECT 1")


def _not_a_database(path: Path) -> None:
    path.write_bytes(b"x" * 5000)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM t")


def _gone(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.with_name('gone').as_uri()}?mode=rw", uri=True)) as connection:
        connection.execute("SELECT 1")


def _no_such_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM u")


def _not_text(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT CAST(x'ff' AS TEXT)").fetchone()


def _no_descriptors(path: Path) -> None:
    with no_free_descriptors(), closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM t")


def _out_of_memory(path: Path) -> None:
    raise MemoryError


def _no_thread(path: Path) -> None:
    raise RuntimeError("can't start new thread")


def _system(number: int) -> Callable[[Path], None]:
    def fail(path: Path) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small database."""
    file = tmp_path / "t.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (a)")
    return file


@pytest.mark.parametrize(
    ("fail", "error", "reason"),
    [
        (_read_only, Exhausted, "DISK_READ_ONLY"),
        (_locked_by_another, Unavailable, "WORKSPACE_LOCKED"),
        (_closed, Unavailable, "WORKSPACE_BUSY"),
        (_not_a_database, DataLoss, "WORKSPACE_CORRUPT"),
        (_gone, DataLoss, "WORKSPACE_CORRUPT"),
        (_no_such_table, DataLoss, "WORKSPACE_CORRUPT"),
        (_not_text, DataLoss, "WORKSPACE_CORRUPT"),
        (_system(errno.ENOSPC), Exhausted, "DISK_FULL"),
        (_system(errno.EDQUOT), Exhausted, "DISK_FULL"),
        (_system(errno.EFBIG), Exhausted, "DISK_FULL"),
        (_system(errno.EROFS), Exhausted, "DISK_READ_ONLY"),
        (_system(errno.EACCES), Exhausted, "DISK_READ_ONLY"),
        (_system(errno.EMFILE), Exhausted, "TOO_MANY_OPEN_FILES"),
        (_system(errno.ENFILE), Exhausted, "TOO_MANY_OPEN_FILES"),
        (_system(errno.ENOMEM), Exhausted, "MEMORY_EXHAUSTED"),
        (_system(errno.EIO), Unavailable, "STORAGE_FAILED"),
        (_no_descriptors, Exhausted, "TOO_MANY_OPEN_FILES"),
        (_out_of_memory, Exhausted, "MEMORY_EXHAUSTED"),
        (_no_thread, Exhausted, "MEMORY_EXHAUSTED"),
    ],
)
def test_each_error_is_translated(
    path: Path, fail: Callable[[Path], None], error: type[Exhausted | DataLoss | Unavailable], reason: str
) -> None:
    with pytest.raises(error) as raised, storage_errors("w", path.with_name("gone") if fail is _gone else path):
        fail(path)
    assert raised.value.reason == reason and raised.value.__cause__ is not None
    assert str(path.parent) not in raised.value.message


def test_bugs_are_not_blamed_on_the_disk(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), storage_errors("w"), closing(sqlite3.connect(path)) as connection:
        connection.execute("SELEKT 1")
    with pytest.raises(OSError), storage_errors("w"):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))


def test_a_sound_file_without_descriptors_is_not_damaged(path: Path) -> None:
    with pytest.raises(Exhausted) as raised, no_free_descriptors(), storage_errors("w", path):
        _open_journaled(path)
    assert raised.value.reason == "TOO_MANY_OPEN_FILES" and "damaged" in raised.value.message
    _open_journaled(path)


def _open_journaled(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def test_a_disk_that_cannot_be_read_is_not_a_damaged_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite says “malformed” in both cases."""

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(disk_probe, "_read_all", fail)
    with pytest.raises(Unavailable) as raised, storage_errors("w", path):
        raise sqlite3.DatabaseError("database disk image is malformed")
    assert raised.value.reason == "STORAGE_FAILED" and raised.value.retry_after_s
