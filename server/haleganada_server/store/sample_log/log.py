"""One workspace's log in one SQLite file (write-ahead log, synchronous = FULL: a commit is on disk when it returns)."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.baton import locked, without_baton
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.disk.files import measure_size
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.measures import CommitMeasures
from haleganada_server.core.sample_log.ports import SampleVisitor
from haleganada_server.core.sample_log.rows import FollowedEvent
from haleganada_server.store import files
from haleganada_server.store.errors import damaged_rows, is_failed_sync, storage_errors, writing_stopped

from . import schema
from .feed import SampleFeed
from .integrity.distrust import distrust_embeddings
from .integrity.inspection import SqliteRows, inspect_glyphs, inspect_rows
from .integrity.structure import StructureCheck
from .mark import Mark, MarkFile, check_mark
from .open_files import OpenFiles
from .reader import LogReader
from .transaction import SqliteTransaction

_log = logging.getLogger(__name__)
_LARGE = 2 << 20  # bytes, of which a second thread is worth its start
_WRITER_FILES = 2  # descriptors: the file and its journal; the journal's index is shared


class SqliteLog(LogReader):
    """core.sample_log.ports.WorkspaceLog: a reader, one connection that writes, opened for the first change, and
    the mark of what was written.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        mark: Path | None = None,
        require_lock: Callable[[], None] = lambda: None,
        open_files: OpenFiles | None = None,
        stopped: set[Path] | None = None,
        visitor: SampleVisitor | None = None,
        measures: CommitMeasures | None = None,
        keep_old: Callable[[SqliteLog, int], None] = lambda _log, _version: None,
    ) -> None:
        """Open an existing file, also of an older version. mark: its mark's file, None = it has none. require_lock:
        raises Unavailable if another server may use the file by now; called before each transaction. open_files: see
        LogReader. stopped: files that get no more changes, because the disk failed to store one; this log's file joins
        them then, and stays when it is closed and opened again. visitor: gets the samples while they are checked.
        measures: of the commits of all logs together. keep_old: called with the log and its version before a file of an
        older version is changed; if it raises, the file stays as it is. Raises DataLoss if the file is damaged, or
        holds less than its mark says.
        """
        self._identity = _identify(path)
        self._writing = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._mark_file = MarkFile(mark) if mark is not None else None
        self._require_lock = require_lock
        self._stopped = stopped if stopped is not None else set()
        self._measures = measures if measures is not None else CommitMeasures()
        self._keep_old = keep_old
        files.read_ahead(path)
        distrusted = self._open_large(path, name, open_files, visitor)
        if distrusted is None:
            self._open_checked(path, name, open_files)
        with ExitStack() as undo:  # what is left to the garbage collector may be open when the file is moved
            undo.callback(self.close)
            with storage_errors(name, path):
                self._upgrade()
                self.distrusted = self._check_rows(visitor) if distrusted is None else distrusted
                self._mark = self._check_mark()
            distrust_embeddings(name, self.distrusted, self.transaction)
            undo.pop_all()

    def _open_large(
        self, path: Path, name: str, open_files: OpenFiles | None, visitor: SampleVisitor | None
    ) -> list[int] | None:
        """Open a large file, and check its structure and its rows at the same time. Return the ids of the samples whose
        embeddings are damaged; None if the file is small, of an older version, or not sound in any other way: then it
        is not open, and one check after the other will say what is wrong.
        """
        found: list[int] | None = None
        if measure_size(path) >= _LARGE:
            with suppress(DataLoss):
                super().__init__(path, name, open_files=open_files, check=schema.check_version)
                try:
                    found = self._check_all(visitor)
                finally:
                    if found is None:
                        self._close_reader()
        return found

    def _check_all(self, visitor: SampleVisitor | None) -> list[int] | None:
        """See _open_large. Raises DataLoss for what is wrong, too."""
        with storage_errors(self._name, self.path):
            with self._short_read() as connection:
                if not schema.is_current(connection):
                    return None
            with StructureCheck(self._find_problems) as structure:
                distrusted = self._check_rows(visitor)
                return distrusted if structure.is_sound() else None

    def _find_problems(self) -> list[str]:
        with self._own_connection() as connection:
            return schema.find_problems(connection)

    def _open_checked(self, path: Path, name: str, open_files: OpenFiles | None) -> None:
        """Open a file whose structure is sound, or becomes so by new indexes. Raises DataLoss."""
        try:
            super().__init__(path, name, open_files=open_files)
        except DataLoss as error:
            with storage_errors(name, path):
                if not schema.rebuild_damaged_indexes(path):
                    raise
            _log.warning("workspace %r: an index was damaged and has been made again: %s", name, error)
            super().__init__(path, name, open_files=open_files)

    @property
    def mark(self) -> Mark:
        """How far the log has come."""
        return self._mark

    def last_sample_id(self) -> int:
        return self._mark.last_sample_id

    def use_no_sample_id_up_to(self, sample_id: int) -> None:
        """Let the log give only greater sample_ids to new samples."""
        with storage_errors(self._name, self.path), self._write() as writer:
            values = (schema.USED_SAMPLE_IDS, str(sample_id))
            writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)
        self._mark = replace(self._mark, last_sample_id=max(self._mark.last_sample_id, sample_id))

    def sync_mark(self) -> None:
        """Make the mark survive a power failure. An error is only logged."""
        if self._mark_file is not None:
            with locked(self._writing):
                self._mark_file.write(self._mark, sync=True)
                self._open_files.note_use(self, changed=True)

    def news(self, revision: int) -> Sequence[FollowedEvent]:
        del revision  # nobody else writes to the file
        return ()

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """Commit when the block ends normally, roll back when it raises. For one thread at a time."""
        self._require_writing()
        self._require_lock()
        with storage_errors(self._name, self.path), self._write() as writer:
            self._require_same_file()
            writer.execute("BEGIN IMMEDIATE")
            transaction = SqliteTransaction(writer, self._checks, self._mark)
            try:
                yield transaction
                reach("commit.before")
                with self._measures.span("commit"), self._measures.seconds.count_seconds(), without_baton():
                    writer.execute("COMMIT")
            except BaseException as error:
                if isinstance(error, (sqlite3.Error, OSError)):
                    self._measures.errors.add()
                if is_failed_sync(error, self.path):
                    self._stop_writing(writer, error)
                if writer.in_transaction:  # SQLite rolls back by itself when the disk is full
                    writer.execute("ROLLBACK")
                raise
            reach("commit.after")
            if transaction.mark != self._mark:
                self._mark = transaction.mark
                self._write_mark()
                reach("commit.marked")

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Give the block the connection that writes."""
        with locked(self._writing):
            self._require_open()
            if opens := self._writer is None:
                self._require_same_file()
                self._writer = schema.connect_writer(self.path)
            try:
                yield self._writer
            finally:
                self._open_files.note_use(self, changed=opens)

    def _stop_writing(self, writer: sqlite3.Connection, error: BaseException) -> None:
        """Refuse all further changes: another commit could seem to succeed without what this one could not write."""
        self._stopped.add(self.path)
        _log.critical(
            "workspace %r: the disk failed to store a change (%s), so nothing more is written to its file; check the "
            "disk, then restart the server", self._name, error,
        )  # fmt: skip
        with suppress(sqlite3.Error):
            writer.execute("ROLLBACK")
        raise writing_stopped(self._name) from error

    def _require_writing(self) -> None:
        """Raise Unavailable if a commit has failed on the disk."""
        if self.path in self._stopped:
            raise writing_stopped(self._name)

    def find_damaged_glyphs(self) -> list[int]:
        """Return the ids of the samples whose drawings are not as they were written. Reads all of them."""
        with self._own_connection() as connection:
            return list(inspect_glyphs(connection, self._checks))

    def _check_rows(self, visitor: SampleVisitor | None) -> list[int]:
        """Compare all rows with their checksums; return the ids of the samples whose embeddings are damaged. Raises
        DataLoss.
        """
        with self._short_read() as connection:
            schema.check_tables(connection)
            feed = SampleFeed(visitor, self._name) if visitor is not None else None
            findings = inspect_rows(SqliteRows(connection), self._checks, feed.take if feed else None)
        if lost := findings.describe():
            raise damaged_rows(self._name, lost)
        if feed is not None:
            feed.finish(findings.to_state())
        return findings.embeddings

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
        self._require_writing()
        with storage_errors(self._name, self.path), self._write() as writer:
            busy = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if busy:
                raise sqlite3.OperationalError("database is locked")

    def close(self) -> None:
        with locked(self._writing):
            super().close()
            self._close_writer()
        self._open_files.note_use(self, changed=True)

    def _close_writer(self) -> None:
        """Close the writing connection and the mark; the last connection to be closed merges the journal into the file
        and removes it.
        """
        if self._writer is not None:
            with suppress(sqlite3.Error):  # the journal holds everything; the next start merges it
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._writer.close()
            self._writer = None
        if self._mark_file is not None:
            self._mark_file.close()

    def count_files(self) -> int:
        writer = _WRITER_FILES if self._writer is not None else 0
        mark = 1 if self._mark_file is not None and self._mark_file.is_open else 0
        return super().count_files() + writer + mark

    def release(self) -> None:
        if self._writing.acquire(blocking=False):
            try:
                super().release()
                if self.path not in self._stopped:  # closing would merge what a failed sync left uncertain
                    self._close_writer()
            finally:
                self._writing.release()

    def _check_mark(self) -> Mark:
        """Compare the log with its mark, and bring the mark up to date. Raises DataLoss."""
        found = self.read_mark()
        marked = self._mark_file.read() if self._mark_file is not None else None
        if marked is None:
            if self._mark_file is not None and found.revision:
                _log.warning("workspace %r has no mark, so a lost end would not be noticed; it gets one", self.name)
        else:
            check_mark(marked, found, self.digest_at, self.name)
            found = replace(found, last_sample_id=max(found.last_sample_id, marked.last_sample_id))
        if found != marked and self._mark_file is not None:
            self._mark_file.write(found)
        return found

    def _write_mark(self) -> None:
        if self._mark_file is not None:
            self._mark_file.write(self._mark)

    def _upgrade(self) -> None:
        """Upgrade a file of an older version, and give a new one its journal."""
        with self._short_read() as connection:
            if schema.is_current(connection):
                return
            version = schema.read_version(connection)
        if version < schema.VERSION:
            self._keep_old(self, version)
            reach("upgrade.kept")
        with self._write() as writer:
            schema.upgrade(writer)
            schema.use_journal(writer)


def _identify(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a file; None if it does not exist."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
