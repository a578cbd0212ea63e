"""The tables of a workspace's file, and how connections to it are set up.

`events` is the log: rows are only appended, except for the mark that an event was undone. `samples` and `links` are the
result of the events, updated in the same transactions, so that a start needs no replay. The row of a forgotten sample
stays, hidden, so that undo is exact.

Every row carries checksums, see checks.py.

The version of a file is the number of migrations it has had. A change of the tables is a new migration at the end,
which older files get when they are opened; whoever opens a workspace's own log keeps the old one first (log.py).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

from haleganada_server.core.disk import failpoints
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.store.errors import unreadable

from .integrity.backfill import add_checks
from .integrity.checks import RowChecks

APPLICATION_ID = 0x48414C45  # "HALE"

_MIGRATIONS = (
    """
CREATE TABLE events (
    revision INTEGER PRIMARY KEY, kind TEXT NOT NULL, time_us INTEGER NOT NULL, request_id TEXT UNIQUE, payload_hash
    BLOB, client TEXT NOT NULL, sample_id INTEGER NOT NULL, label TEXT NOT NULL, previous TEXT NOT NULL, canonical
    TEXT NOT NULL, target INTEGER NOT NULL, answer TEXT NOT NULL, undone_by INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX events_open ON events (revision) WHERE undone_by = 0;
CREATE TABLE samples (
    sample_id INTEGER PRIMARY KEY, label TEXT NOT NULL, glyph_kind TEXT NOT NULL, glyph BLOB NOT NULL,
    embedding BLOB NOT NULL, embedder_hash TEXT NOT NULL, loss REAL NOT NULL, predicted TEXT NOT NULL,
    new_label INTEGER NOT NULL, correction INTEGER NOT NULL, predicted_revision INTEGER NOT NULL, time_us INTEGER NOT
    NULL, revision INTEGER NOT NULL, forgotten INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX samples_by_label ON samples (label, sample_id) WHERE forgotten = 0;
CREATE TABLE links (position INTEGER PRIMARY KEY, form TEXT NOT NULL UNIQUE, canonical TEXT NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
""",
    """
ALTER TABLE events ADD COLUMN digest BLOB NOT NULL DEFAULT x'';
ALTER TABLE samples ADD COLUMN facts_check INTEGER NOT NULL DEFAULT 0;
ALTER TABLE samples ADD COLUMN embedding_check INTEGER NOT NULL DEFAULT 0;
ALTER TABLE samples ADD COLUMN glyph_check INTEGER NOT NULL DEFAULT 0;
""",
)
_FIRST_WITH_CHECKS = 2
VERSION = len(_MIGRATIONS)
_TABLES = {"events", "samples", "links", "meta"}
USED_SAMPLE_IDS = "used_sample_ids"
"""Key in meta: the greatest sample_id that the logs before this one used; missing = 0."""
_BUSY_S = 5.0  # time to wait for another program that has locked the file
_MAX_REASON = 200
_INDEX_PROBLEM = re.compile("missing from index|wrong # of entries in index|non-unique entry in index")


def create(path: Path, name: str, created_us: int) -> None:
    """Write an empty file with all tables. The file must not exist."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        upgrade(connection)
        connection.execute("INSERT INTO meta VALUES ('name', ?), ('created_us', ?)", (name, str(created_us)))
    finally:
        connection.close()


def upgrade(connection: sqlite3.Connection, reach: Callable[[str], None] = failpoints.reach) -> None:
    """Apply the migrations that a file lacks, each in one transaction. reach: is told the steps, for tests."""
    for number in range(read_version(connection), VERSION):
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {_MIGRATIONS[number]} PRAGMA user_version = {number + 1};")
            if number + 1 == _FIRST_WITH_CHECKS and (checks := read_checks(connection)) is not None:
                add_checks(connection, checks)
            reach("upgrade.written")
            connection.execute("COMMIT")
            reach("upgrade.committed")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def read_version(connection: sqlite3.Connection) -> int:
    """Return the version of a file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def has_checks(connection: sqlite3.Connection) -> bool:
    """Return whether the rows of a file carry checksums; those of older versions do not."""
    return read_version(connection) >= _FIRST_WITH_CHECKS


def read_checks(connection: sqlite3.Connection) -> RowChecks | None:
    """Return what computes the checksums of a file's rows; None if its name or time of creation is missing."""
    found = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('name', 'created_us')"))
    if "name" not in found or not str(found.get("created_us")).isdecimal():
        return None
    return RowChecks(found["name"], int(found["created_us"]))


def is_current(connection: sqlite3.Connection) -> bool:
    """Return whether a file needs no upgrade and has a write-ahead log."""
    return read_version(connection) == VERSION and connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open a connection in autocommit mode, usable from any thread (one at a time). Each commit is synced."""
    connection = _connect(path, "rw")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def use_journal(connection: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log, so that readers and the writer do not wait for each other."""
    connection.execute("PRAGMA journal_mode = WAL")


def connect_reader(path: Path, *, frozen: bool = False) -> sqlite3.Connection:
    """Open a connection for reading. frozen: nothing writes to the file, and it has no journal beside it."""
    if frozen:
        return _connect(path, "ro&immutable=1")
    connection = _connect(path, "rw")  # reading a write-ahead log includes writing to its index
    connection.execute("PRAGMA query_only = ON")
    return connection


def check_version(connection: sqlite3.Connection, name: str) -> None:
    """Raise DataLoss unless the file is a workspace's, of a known version."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise unreadable(name, "it is not a workspace file")
    if read_version(connection) > VERSION:
        raise DataLoss(
            f"the workspace “{name}” was written by a newer version of this server; update the server, nothing is lost",
            Reason.WORKSPACE_TOO_NEW,
        )


def check(connection: sqlite3.Connection, name: str) -> None:
    """Raise DataLoss unless the file is intact and of a known version. Takes under 0.1 s with 10,000 samples."""
    check_version(connection, name)
    if problems := find_problems(connection):
        raise unreadable(name, " ".join(" ".join(problems).split())[:_MAX_REASON])
    if missing := _TABLES - {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}:
        raise unreadable(name, f"no such table: {', '.join(sorted(missing))}")


def rebuild_damaged_indexes(path: Path) -> bool:
    """Make the indexes of a file again from its tables, if only they are damaged; return whether that was so."""
    with closing(connect_writer(path)) as connection:
        problems = find_problems(connection)
        if is_index_damage := bool(problems) and all(_INDEX_PROBLEM.search(problem) for problem in problems):
            connection.execute("REINDEX")
        return is_index_damage


def find_problems(connection: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with a file, at most three things; none if it is intact."""
    problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    return [] if problems == ["ok"] else problems


def check_tables(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError unless tables and indexes are declared as the migrations declare them."""
    if _read_declarations(connection) != _expected_declarations(VERSION):
        raise sqlite3.DatabaseError("the declaration of a table is malformed")


@cache
def _expected_declarations(version: int) -> list[tuple[str, str, str]]:
    del version  # the result depends on it
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        upgrade(connection, reach=lambda _step: None)  # which is no step of a file
        return _read_declarations(connection)


def _read_declarations(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return connection.execute("SELECT type, name, IFNULL(sql, '') FROM sqlite_master ORDER BY type, name").fetchall()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)
