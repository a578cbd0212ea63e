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
    """core.ports.WorkspaceLog: a reader, and one connection that writes."""

    def __init__(self, path: Path, name: str) -> None:
        """Opens an existing file, of an older version too. Raises DataLoss if it cannot be read."""
        super().__init__(path, name)
        try:
            with storage_errors(name):
                self._writer = _open_writer(path)
        except BaseException:
            super().close()  # not left to the garbage collector, for the file may be moved next
            raise
        self._identity = _identity(path)

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """For one thread at a time. Commits when the block ends normally, rolls back when it raises."""
        with storage_errors(self._name):
            self._require_place()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._writer.execute("ROLLBACK")
                raise

    def _require_place(self) -> None:
        """SQLite would go on writing to a file that was deleted, and all of it would be lost at the end."""
        if _identity(self.path) != self._identity:
            raise DataLoss(
                f"the file of workspace “{self._name}” was moved or deleted while the server ran; what is taught now "
                "could not be kept. Restart the server, then restore a snapshot if the workspace is not as it was"
            )

    def fold(self) -> None:
        """Bring everything into the main file, so that it alone is the state of now. No transaction may be open."""
        with storage_errors(self._name):
            busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if busy:
                raise sqlite3.OperationalError("database is locked")

    def close(self) -> None:
        super().close()
        with suppress(sqlite3.Error):  # the journal holds everything; the next start folds it in
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()


def _open_writer(path: Path) -> sqlite3.Connection:
    """A connection to a file that was checked, which is of the present version then."""
    connection = schema.connect_writer(path)
    try:
        schema.upgrade(connection)
        schema.use_journal(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file this is, whatever its name; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
