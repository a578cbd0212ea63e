"""Copies the log of one workspace, also while a server writes to it, and compares the copy with it row by row."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from itertools import zip_longest
from pathlib import Path

from haleganada_server.core.disk.files import scratch_folder
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Unavailable
from haleganada_server.store import files
from haleganada_server.store.errors import storage_errors
from haleganada_server.store.sample_log import schema
from haleganada_server.store.sample_log.integrity import recovery
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.workspaces.home import LOG, MARK, copy_log_files

_ATTEMPTS = 5


def copy_log(home: Path, target: Path, name: str) -> tuple[int, int]:
    """Copy a workspace's log and its mark as of one moment, open the copy as a server does, and return its revision and
    number of live samples.

    Raises DataLoss if the log is damaged, Unavailable if it is replaced again and again, Exhausted or Unavailable
    because of the machine, FileNotFoundError if the workspace was deleted meanwhile.
    """
    for _ in range(_ATTEMPTS):
        before = (home / LOG).stat()
        _remove(target)
        with suppress(FileNotFoundError):
            files.copy(home / MARK, target / MARK)  # before the log, so that the mark is not ahead of it
        try:
            with storage_errors(name, home / LOG):
                _copy_and_compare(home / LOG, target / LOG, name)
            opened = _open_copy(target, name)
        except DataLoss:
            if _is_same(home / LOG, before.st_ino):
                raise
            continue
        if _is_same(home / LOG, before.st_ino):
            return opened
    raise Unavailable(
        f"the workspace “{name}” is replaced again and again; repeat the backup while nobody resets or restores it",
        Reason.WORKSPACE_BUSY,
    )


def copy_damaged_log(home: Path, target: Path) -> None:
    """Copy the files of a damaged log as they are, so that nothing that can still be saved is missing."""
    _remove(target)
    copy_log_files(home, target)


def _copy_and_compare(source: Path, target: Path, name: str) -> None:
    with closing(schema.connect_reader(source)) as log, closing(sqlite3.connect(target, isolation_level=None)) as copy:
        schema.check(log, name)
        log.execute("BEGIN")  # all reads until the end see one state, whatever is taught meanwhile
        tables = [row[0] for row in log.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        log.backup(copy)
        for table in tables:
            query = f'SELECT * FROM "{table}" ORDER BY rowid'
            if any(row != copied for row, copied in zip_longest(log.execute(query), copy.execute(query))):
                raise OSError(f"the copy of {table} differs from the original; repeat the backup, and check the disks")
    files.sync_file(target)


def _open_copy(target: Path, name: str) -> tuple[int, int]:
    """Open a copy as a server does. One of an older version stays as it is, so that the version can use the backup: a
    copy of it is opened, and brought up to date.
    """
    if recovery.read_version(target / LOG, frozen=True) < schema.VERSION:
        with scratch_folder(target / "opened") as opened:
            copy_log_files(target, opened)
            return _open(opened, name)
    return _open(target, name)


def _open(folder: Path, name: str) -> tuple[int, int]:
    with closing(SqliteLog(folder / LOG, name, folder / MARK)) as log:
        return log.revision(), log.count()


def _remove(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)


def _is_same(path: Path, inode: int) -> bool:
    try:
        return path.stat().st_ino == inode
    except FileNotFoundError:
        return False
