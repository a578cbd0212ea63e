"""One workspace's log in one SQLite file (write-ahead log, synchronous = FULL: a commit is on disk when it returns)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from . import schema
from .failures import storage_errors
from .reader import LogReader
from .transaction import SqliteTransaction


class SqliteLog(LogReader):
    """core.ports.WorkspaceLog: a reader, and one connection that writes."""

    def __init__(self, path: Path, name: str) -> None:
        """Opens an existing file, of an older version too. Raises DataLoss if it cannot be read."""
        super().__init__(path, name)
        with storage_errors(name):
            self._writer = schema.connect_writer(path)
            try:
                schema.upgrade(self._writer)
                schema.use_journal(self._writer)
            except BaseException:
                self._writer.close()  # not left to the garbage collector, for the file may be moved next
                super().close()
                raise

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """For one thread at a time. Commits when the block ends normally, rolls back when it raises."""
        with storage_errors(self._name):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._writer.execute("ROLLBACK")
                raise

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
