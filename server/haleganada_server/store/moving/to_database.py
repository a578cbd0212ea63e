"""Moves workspaces from a data directory to a database, also while a server uses the directory, which stays as it is.

Each workspace is copied as of one moment, loaded and compared in one transaction, which is committed only if every row
is the same: a kill at any time leaves it as it was at the destination, or moved. What is there already is not copied
again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.store.backup.log_copy import copy_log
from haleganada_server.store.errors import storage_errors
from haleganada_server.store.postgres.connections import Connection
from haleganada_server.store.postgres.copying import put_file
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import database_errors
from haleganada_server.store.postgres.feed import tell_of
from haleganada_server.store.postgres.position import ADD, LOCK, READ, SET, Position
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.sample_log.mark import NO_DIGEST, MarkFile
from haleganada_server.store.workspaces.home import LOG, MARK, find_lost, lost_log, read_name

from .history import History, Relation, relate
from .moved import MOVES, Moved, Outcome, refuse
from .row_comparison import compare_rows

_ONE_STATE = "ISOLATION LEVEL REPEATABLE READ READ ONLY"


def move_to_database(source: Path, database: Database, scratch: Path, only: str = "") -> Iterator[Moved]:
    """Move the workspaces of a data directory, or only one of them, and tell of each. scratch: a folder for copies,
    each removed before the next. Raises Unavailable if the database is away.
    """
    for home in sorted((source / "workspaces").iterdir()):
        name = read_name(home, deleted=True)
        if name is None or (only and name != only):
            continue
        copy = scratch / home.name
        try:
            with storage_errors(name, scratch), database_errors(name):
                yield _Move(name, home, copy, database).run()
        except HaleganadaError as error:
            if database.is_reachable():
                yield Moved(name, Outcome.FAILED, problem=error.message)
            else:
                raise
        except psycopg.DataError as error:
            problem = f"PostgreSQL does not store one of its texts ({' '.join(str(error).split())})"
            yield Moved(name, Outcome.FAILED, problem=problem)
        finally:
            shutil.rmtree(copy, ignore_errors=True)


class _Move:
    """One workspace on its way. copy: a folder that does not exist yet."""

    def __init__(self, name: str, home: Path, copy: Path, database: Database) -> None:
        self._name, self._home, self._copy, self._database = name, home, copy, database

    def run(self) -> Moved:
        if (lost := find_lost(self._home)) is not None:
            raise lost_log(self._home, self._name, lost)
        try:
            copy_log(self._home, self._copy, self._name)
        except FileNotFoundError:  # it was deleted
            return self._move_deleted()
        reach("migrate.copied")
        self._database.execute(ADD, (self._name, NO_DIGEST))
        with closing(SqliteLog(self._copy / LOG, self._name, self._copy / MARK)) as log:
            source = History(log.mark, log.digest_at)
            damaged = len(log.find_damaged_glyphs())
            relation, position = self._load(source)
        if relation not in (*MOVES, Relation.SAME):
            return refuse(self._name, relation, position.revision, source.mark.revision)
        note = f"the drawings of {damaged} samples are damaged in the source, too" if damaged else ""
        return self._compare(source, MOVES.get(relation, Outcome.ALREADY_THERE), note)

    def _load(self, source: History) -> tuple[Relation, Position]:
        """Put the copy into the database unless it has all of it; return what it had."""
        with self._database.transaction(LOCK, (self._name,)) as (connection, row):
            before = Position.of(row)
            assert before is not None, "rows are never removed"
            relation = relate(source, _history_in(connection, before))
            if relation in MOVES:
                after = put_file(connection, self._name, before, self._copy / LOG)
                reach("migrate.loaded")
                compare_rows(self._copy / LOG, connection, self._name, after.log_id, after.created_us)
                reach("migrate.compared")
                tell_of(connection, self._name)
                connection.execute("COMMIT")
                reach("migrate.committed")
            return relation, before

    def _compare(self, source: History, outcome: Outcome, note: str) -> Moved:
        """Compare what the database has now, as every server sees it, with the copy."""
        with self._database.transaction(READ, (self._name,), _ONE_STATE) as (connection, row):
            found = Position.of(row)
            assert found is not None, "rows are never removed"
            revision = source.mark.revision
            if found.deleted or found.revision != revision:  # somebody works there already
                return Moved(self._name, Outcome.NEWER_THERE, revision, note=f"it is at {found.revision} there by now")
            path = self._copy / LOG
            compared = compare_rows(path, connection, self._name, found.log_id, found.created_us)
        return Moved(self._name, outcome, revision, compared, note)

    def _move_deleted(self) -> Moved:
        """Let a workspace that is created anew at the destination go on with greater revisions and sample ids."""
        mark = MarkFile(self._home / MARK).read()
        if mark is not None and mark.revision:
            self._database.execute(ADD, (self._name, NO_DIGEST))
            with self._database.transaction(LOCK, (self._name,)) as (connection, row):
                before = Position.of(row)
                assert before is not None, "rows are never removed"
                if before.deleted and before.revision < mark.revision:
                    after = Position.of_deleted(mark.revision, mark.last_sample_id, mark.digest)
                    connection.execute(SET, (*after.values(), self._name))
                    connection.execute("COMMIT")
        return Moved(self._name, Outcome.DELETED, mark.revision if mark else 0)


def _history_in(connection: Connection, position: Position) -> History:
    def digest_at(revision: int) -> bytes:
        query = "SELECT digest FROM events WHERE log_id = %s AND revision = %s"
        row = connection.execute(query, (position.log_id, revision)).fetchone()
        return bytes(row[0]) if row else NO_DIGEST

    return History(position.to_mark(), digest_at)
