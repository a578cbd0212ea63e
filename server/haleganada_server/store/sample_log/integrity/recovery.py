"""Reads what is still readable of a damaged workspace file, for the server's log and for the trash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_DAMAGE = (
    sqlite3.Error,
    UnicodeDecodeError,
)  # the second from a text, or from an error message that quotes damaged bytes
_ATTEMPTS = (("with its journal", "ro"), ("without its journal", "ro&immutable=1"))


def attempt_reads(path: Path) -> Iterator[str]:
    """Try to read the file in each way, without changing it; yield the results, for the server's log."""
    for how, mode in _ATTEMPTS:
        try:
            with closing(_open(path, mode)) as connection:
                problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                revision, samples = _count(connection)
            yield f"{how}: {problem}, at revision {revision}, {samples} samples"
        except _DAMAGE as error:
            yield f"{how}: {error}"


def read_counts(path: Path) -> tuple[int, int] | None:
    """Return the revision and the number of live samples; None if they cannot be read."""
    for _how, mode in _ATTEMPTS:
        try:
            with closing(_open(path, mode)) as connection:
                return _count(connection)
        except _DAMAGE:
            continue
    return None


def read_name(path: Path) -> str | None:
    """Return the workspace's name according to its file; None if it cannot be read."""
    for _how, mode in _ATTEMPTS:
        try:
            with closing(_open(path, mode)) as connection:
                if row := connection.execute("SELECT value FROM meta WHERE key = 'name'").fetchone():
                    return str(row[0])
        except _DAMAGE:
            continue
    return None


def read_version(path: Path, *, frozen: bool = False) -> int:
    """Return the version of the file's tables; 0 if it cannot be read. frozen: nothing writes to the file, and its
    journal, if it has one, is not looked at; so none is made.
    """
    for _how, mode in _ATTEMPTS[1:] if frozen else _ATTEMPTS:
        try:
            with closing(_open(path, mode)) as connection:
                return int(connection.execute("PRAGMA user_version").fetchone()[0])
        except _DAMAGE:
            continue
    return 0


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)


def _count(connection: sqlite3.Connection) -> tuple[int, int]:
    revision = connection.execute("SELECT IFNULL(MAX(revision), 0) FROM events").fetchone()[0]
    samples = connection.execute("SELECT COUNT(*) FROM samples WHERE forgotten = 0").fetchone()[0]
    return int(revision), int(samples)
