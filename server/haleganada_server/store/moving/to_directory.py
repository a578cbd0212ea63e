"""Moves workspaces from a database to a data directory that no server uses, also while servers use the database.

Each workspace is read as of one moment and compared before one rename puts it in place: a kill at any time leaves it as
it was in the directory, or moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.disk.files import scratch_folder
from haleganada_server.core.errors import HaleganadaError, NotFound
from haleganada_server.store import DataDirectory
from haleganada_server.store.postgres.copying import write_file
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import database_errors
from haleganada_server.store.postgres.position import READ, Position
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.store.sample_log.mark import NO_DIGEST, Mark

from .history import History, Relation, relate
from .moved import MOVES, Moved, Outcome, refuse
from .row_comparison import compare_rows


def move_to_directory(database: Database, target: DataDirectory, only: str = "") -> Iterator[Moved]:
    """Move the workspaces of a database, or only one of them, and tell of each. Raises Unavailable if the database is
    away.
    """
    query = "SELECT name FROM workspaces WHERE revision > 0 OR NOT deleted ORDER BY name"
    with database_errors("of all"):
        names = [row[0] for row in database.fetch(query)]
    for name in names:
        if only and name != only:
            continue
        try:
            with target.errors(name), database_errors(name), scratch_folder(target.temporary_file()) as scratch:
                yield _move(name, database, target, scratch)
        except HaleganadaError as error:
            if not database.is_reachable():
                raise
            yield Moved(name, Outcome.FAILED, problem=error.message)


def _move(name: str, database: Database, target: DataDirectory, scratch: Path) -> Moved:
    with database.snapshot(READ, (name,)) as (connection, row):
        position = Position.of(row)
        if position is None or position.deleted:
            used = position.to_mark() if position else Mark()
            target.adopt_deleted(name, used)
            return Moved(name, Outcome.DELETED, used.revision)
        state = scratch / "state.sqlite3"
        write_file(connection, position, state, name)
        reach("migrate.copied")
        with closing(SqliteLog(state, name)) as log:  # which compares all rows with their checksums
            relation, there = _relate(History(log.mark, log.digest_at), name, target)
        if relation not in (*MOVES, Relation.SAME):
            return refuse(name, relation, there.revision, position.revision)
        file = target.log_path(name) if relation is Relation.SAME else state
        compared = compare_rows(file, connection, name, position.log_id, position.created_us)
        reach("migrate.compared")
        if relation in MOVES:
            target.adopt(name, state, position.created_us, keeps_mark=relation is Relation.OLDER)
            reach("migrate.committed")
    return Moved(name, MOVES.get(relation, Outcome.ALREADY_THERE), position.revision, compared)


def _relate(source: History, name: str, target: DataDirectory) -> tuple[Relation, Mark]:
    """Return what the directory has of a workspace, and how far that has come. Raises DataLoss if it is damaged."""
    try:
        log = target.open(name)
    except NotFound:
        mark = target.find_mark(name) or Mark()
        return relate(source, History(mark, lambda _revision: NO_DIGEST)), mark
    with closing(log):
        return relate(source, History(log.mark, log.digest_at)), log.mark
