"""The versions of the tables: SQL files that yoyo carries out, each once, all that are missing in one transaction.

By itself, yoyo opens connections of its own, commits a migration apart from the note that it was made, and locks by a
row; a server killed in between would leave what keeps each later one from starting. So here it works on our connection,
in our transaction, and others wait for a lock that PostgreSQL takes back as soon as the connection breaks.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext

from yoyo import internalmigrations, read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration, default_migration_table

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

from .connections import SCHEMA, Connection

_log = logging.getLogger(__name__)
_FILES = f"package:{__package__}:migrations"
_LOCK = 0x48414C45_0001  # of all servers on a database: one brings the tables up to date, the others wait


def migrate(connection: Connection) -> None:
    """Bring the tables up to date. Raises Precondition if a newer server has made them."""
    logging.getLogger("yoyo").setLevel(logging.WARNING)  # which tells of each statement
    files = read_migrations(_FILES)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if connection.execute("SELECT to_regnamespace(%s) IS NULL", (SCHEMA,)).fetchone() == (True,):
            connection.execute(f"CREATE SCHEMA {SCHEMA}")  # IF NOT EXISTS would need the right to, also where it exists
        backend = _OnOneConnection(connection)
        if set(backend.get_applied_migration_hashes()) - {file.hash for file in files}:
            raise Precondition(
                "the database was written by a newer version of this server; update this server, nothing is lost",
                StartReason.DATABASE_UNUSABLE,
            )
        missing = list(backend.to_apply(files))  # apply_migrations() would pass over a file that it cannot read
        is_older = len(missing) not in (0, len(files))
        for file in missing:
            backend.apply_one(file)
    if is_older:
        _log.warning(
            "the tables of the database were brought up to date (%s); older versions of the server no longer start "
            "with it, and the way back is a dump from before (pg_dump)", ", ".join(file.id for file in missing),
        )  # fmt: skip


class _OnOneConnection(PostgresqlPsycopgBackend):
    """Carries out migrations within the transaction that a connection is in; the caller commits it."""

    def __init__(self, connection: Connection) -> None:
        self._given = connection
        facts = connection.info
        uri = DatabaseURI("postgresql+psycopg", None, None, facts.host, facts.port, facts.dbname, {})
        super().__init__(uri, default_migration_table)
        self._in_transaction = True  # so that each step is a savepoint

    def connect(self, dburi: DatabaseURI) -> Connection:  # noqa: ARG002
        return self._given

    def copy(self) -> AbstractContextManager[_OnOneConnection]:
        return nullcontext(self)

    def ensure_internal_schema_updated(self) -> None:
        """Make the tables in which yoyo notes what was made, without its lock and without a commit."""
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)

    def log_migration(self, migration: Migration, operation: str) -> None:
        """Keep no second record with the names of user and machine: a container's user may have none, and the
        machine's would be asked of a name server.
        """
