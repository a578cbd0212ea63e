"""The versions of the tables: numbered SQL files, each carried out once, in one transaction with all that are missing.

A tool for migrations would bring an ORM, or a connection of its own that knows nothing of our errors, for what is a
list of files and a lock.
"""

from __future__ import annotations

from pathlib import Path

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

from .connections import SCHEMA, Connection

_FILES = sorted(Path(__file__).with_name("migrations").glob("*.sql"))
VERSION = len(_FILES)
_LOCK = 0x48414C45_0001  # of all servers on a database: one brings the tables up to date, the others wait
_VERSIONS = f"CREATE TABLE {SCHEMA}.migrations (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"


def migrate(connection: Connection) -> None:
    """Bring the tables up to date. Raises Precondition if a newer server has made them."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        version = _read_version(connection)
        if version > VERSION:
            raise Precondition(
                "the database was written by a newer version of this server; update this server, nothing is lost",
                StartReason.DATABASE_UNUSABLE,
            )
        for number, file in enumerate(_FILES[version:], version + 1):
            connection.execute(file.read_text(encoding="utf-8"))
            connection.execute("INSERT INTO migrations (version) VALUES (%s)", (number,))


def _read_version(connection: Connection) -> int:
    """Return the number of migrations that the database has had; the first server makes the schema."""
    found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{SCHEMA}.migrations",)).fetchone()
    if not (found and found[0]):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(_VERSIONS)
        return 0
    row = connection.execute("SELECT coalesce(max(version), 0) FROM migrations").fetchone()
    return int(row[0]) if row else 0
