"""One workspace's log in the database: a reader, and transactions that take turns with those of other servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.errors import NotFound
from haleganada_server.core.measures import CommitMeasures
from haleganada_server.core.sample_log.ports import LogReplaced, SampleVisitor
from haleganada_server.core.sample_log.rows import FollowedEvent
from haleganada_server.store.sample_log.feed import SampleFeed
from haleganada_server.store.sample_log.integrity.distrust import distrust_embeddings
from haleganada_server.store.sample_log.integrity.inspection import Findings, inspect_rows
from haleganada_server.store.sample_log.mark import check_mark

from .connections import Connection, Row
from .database import Database
from .errors import damaged_rows, database_behind, database_errors
from .news import read_news
from .position import LOCK, READ, Position
from .reader import PostgresReader
from .row_sources import CheckedRows
from .transaction import PostgresTransaction

_SNAPSHOT = "ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresLog(PostgresReader):
    """core.sample_log.ports.WorkspaceLog over the database's rows."""

    def __init__(
        self,
        database: Database,
        name: str,
        visitor: SampleVisitor | None = None,
        require_lock: Callable[[], None] = lambda: None,
        on_commit: Callable[[], None] = lambda: None,
        measures: CommitMeasures | None = None,
    ) -> None:
        """Open an existing log, and compare all rows with their checksums. require_lock: raises Unavailable if another
        server may use the data directory by now; called before each transaction. on_commit: called
        after each commit. visitor, measures: as for a SqliteLog. Raises NotFound, DataLoss, Unavailable.
        """
        self._require_lock, self._on_commit = require_lock, on_commit
        self._measures = measures if measures is not None else CommitMeasures()
        self._writing = threading.Lock()
        with database_errors(name), database.transaction(READ, (name,), _SNAPSHOT) as (connection, row):
            position = require_position(name, row)
            super().__init__(database, name, position)
            self._embedded = position.embedded
            findings = self._check_rows(connection, position, visitor)
        distrust_embeddings(name, findings.embeddings, self.transaction)

    def news(self, revision: int) -> Sequence[FollowedEvent]:
        self._require_open()
        with database_errors(self._name):
            position = self._require_same(*self._database.fetch(READ, (self._name,)))
            if position.revision == revision:
                return ()
            if position.revision < revision:
                raise database_behind(self._name, revision, position.revision)
            with self._database.transaction(READ, (self._name,), _SNAPSHOT) as (connection, row):
                self._require_same(row)
                return read_news(connection, self._log_id, revision)

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """Take the workspace's turn among all servers, commit when the block ends normally, roll back when it
        raises.
        """
        self._require_open()
        self._require_lock()
        with (
            self._writing,
            database_errors(self._name),
            self._database.transaction(LOCK, (self._name,)) as (connection, row),
        ):
            position = self._require_same(row)
            transaction = PostgresTransaction(connection, self._name, self._checks, position)
            yield transaction
            reach("commit.before")
            self._commit(transaction)
            reach("commit.after")
            self._embedded = transaction.position.embedded
        if transaction.position != position:
            self._on_commit()

    def _commit(self, transaction: PostgresTransaction) -> None:
        try:
            with self._measures.span("commit"), self._measures.seconds.count_seconds():
                transaction.commit()
        except Exception:
            self._measures.errors.add()
            raise

    def _require_same(self, row: Row | None = None) -> Position:
        """Return the position that a row says. Raises LogReplaced if it is that of another log, or of other embeddings,
        NotFound if the workspace was deleted.
        """
        position = require_position(self._name, row)
        if (position.log_id, position.embedded) != (self._log_id, self._embedded):
            raise LogReplaced
        return position

    def _check_rows(self, connection: Connection, position: Position, visitor: SampleVisitor | None) -> Findings:
        feed = SampleFeed(visitor, self._name) if visitor is not None else None
        with closing(CheckedRows(connection, self._log_id)) as rows:
            findings = inspect_rows(rows, self._checks, feed.take if feed else None)
        if lost := findings.describe():
            raise damaged_rows(self._name, lost)
        found = position.to_mark() if findings.revision == position.revision else None
        if found is None or findings.live_samples != position.samples_total:
            raise damaged_rows(
                self._name,
                [f"it should end at revision {position.revision} with {position.samples_total} samples, and ends at "
                 f"{findings.revision} with {findings.live_samples}"],
            )  # fmt: skip
        check_mark(found, found, partial(_read_digest, connection, self._log_id, self._checks.start), self._name)
        if feed is not None:
            feed.finish(findings.to_state())
        return findings


def require_position(name: str, row: Row | None) -> Position:
    """Return the position that a row says. Raises NotFound if there is none, or the workspace was deleted."""
    position = Position.of(row)
    if position is None or position.deleted:
        raise NotFound("workspace", name, "check the name, or create it first")
    return position


def _read_digest(connection: Connection, log_id: int, start: bytes, revision: int) -> bytes:
    query = "SELECT digest FROM events WHERE log_id = %s AND revision = %s"
    row = connection.execute(query, (log_id, revision)).fetchone()
    return bytes(row[0]) if row else start
