"""The tables of a workspace's file, and how a connection to it is set up.

`events` is the log: only ever appended to, but for the mark that an event was undone. `samples` and `links` are what
the events add up to, kept in the same transactions, so that a start needs no replay. A forgotten sample's row stays,
hidden, so that undo is exact.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from .failures import corrupt

APPLICATION_ID = 0x48414C45  # "HALE"
VERSION = 1

_TABLES = """
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
"""


def create(path: Path, name: str, created_us: int) -> None:
    """Write an empty file with all tables. The file must not exist."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(f"BEGIN; {_TABLES} COMMIT;")
        connection.execute("INSERT INTO meta VALUES ('name', ?), ('created_us', ?)", (name, str(created_us)))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    finally:
        connection.close()


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from any thread (one at a time); each commit of a writer is synced."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_mode = WAL" if write else "PRAGMA query_only = ON")
    return connection


def check(connection: sqlite3.Connection, name: str) -> None:
    """Raises DataLoss unless the file is sound and of a version that this server knows."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise corrupt(name, "it is not a workspace file")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise corrupt(name, f"it has format {version}, this server knows format {VERSION}")
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise corrupt(name, problem)


def name_in(path: Path) -> str | None:
    """The workspace's name according to its file; None if that cannot be read."""
    try:
        with closing(connect(path, write=False)) as connection:
            return str(connection.execute("SELECT value FROM meta WHERE key = 'name'").fetchone()[0])
    except (sqlite3.Error, TypeError):
        return None
