"""The tables of a workspace's file, and how connections to it are set up.

`events` is the log: rows are only appended, except for the mark that an event was undone. `samples` and `links` are the
result of the events, updated in the same transactions, so that a start needs no replay. The row of a forgotten sample
stays, hidden, so that undo is exact.

The version of a file is the number of migrations it has had. A change of the tables is a new migration at the end,
which older files get when they are opened.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss
from haleganada_server.store.errors import unreadable

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
)
VERSION = len(_MIGRATIONS)
_TABLES = {"events", "samples", "links", "meta"}
_BUSY_S = 5.0  # time to wait for another program that has locked the file
_MAX_REASON = 200


def create(path: Path, name: str, created_us: int) -> None:
    """Write an empty file with all tables. The file must not exist."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        upgrade(connection)
        connection.execute("INSERT INTO meta VALUES ('name', ?), ('created_us', ?)", (name, str(created_us)))
    finally:
        connection.close()


def upgrade(connection: sqlite3.Connection) -> None:
    """Apply the migrations that a file lacks, each in one transaction."""
    for number in range(_version(connection), VERSION):
        connection.executescript(f"BEGIN IMMEDIATE; {_MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")


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


def check(connection: sqlite3.Connection, name: str) -> None:
    """Raise DataLoss unless the file is intact and of a known version. Takes under 0.1 s with 10,000 samples."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise unreadable(name, "it is not a workspace file")
    if _version(connection) > VERSION:
        raise DataLoss(
            f"the workspace “{name}” was written by a newer version of this server; update the server, nothing is lost",
            Reason.WORKSPACE_TOO_NEW,
        )
    problem = " ".join(str(row[0]) for row in connection.execute("PRAGMA quick_check(3)"))
    if problem != "ok":
        raise unreadable(name, " ".join(problem.split())[:_MAX_REASON])
    if missing := _TABLES - {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}:
        raise unreadable(name, f"no such table: {', '.join(sorted(missing))}")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
