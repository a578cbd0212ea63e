"""One workspace's log in one SQLite file (write-ahead log, synchronous = FULL: a commit is on disk when it returns)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from haleganada_server.core.errors import DataLoss
from haleganada_server.store.errors import storage_errors

from . import schema
from .reader import LogReader
from .transaction import SqliteTransaction


class SqliteLog(LogReader):
    """core.sample_log.ports.WorkspaceLog: a reader, and one connection that writes."""

    def __init__(self, path: Path, name: str) -> None:
        """Open an existing file, also of an older version. Raises DataLoss if it cannot be read."""
        super().__init__(path, name)
        try:
            with storage_errors(name):
                self._writer = _open_writer(path)
        except BaseException:
            super().close()  # not left to the garbage collector, because the file may be moved next
            raise
        self._identity = _identify(path)

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """Commit when the block ends normally, roll back when it raises. For one thread at a time."""
        with storage_errors(self._name):
            self._require_same_file()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._writer.execute("ROLLBACK")
                raise

    def _require_same_file(self) -> None:
        """Raise DataLoss if the file was replaced: SQLite would keep writing to a deleted file, and lose everything."""
        if _identify(self.path) != self._identity:
            raise DataLoss(
                f"the file of workspace “{self._name}” was moved or deleted while the server was running, so nothing "
                "more can be saved. Restart the server, then restore a snapshot if the workspace has changed"
            )

    def checkpoint(self) -> None:
        """Merge the write-ahead log into the main file, so that it holds the whole state. No transaction may be
        open.
        """
        with storage_errors(self._name):
            busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if busy:
                raise sqlite3.OperationalError("database is locked")

    def close(self) -> None:
        super().close()
        with suppress(sqlite3.Error):  # the journal holds everything; the next start merges it
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()


def _open_writer(path: Path) -> sqlite3.Connection:
    """Open a connection to a checked file, and upgrade the file to the current version."""
    connection = schema.connect_writer(path)
    try:
        schema.upgrade(connection)
        schema.use_journal(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _identify(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file; None if it does not exist."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
