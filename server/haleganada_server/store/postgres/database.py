"""The connections of a server to its database: a pool for what is short, one of its own for each long read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg_pool import ConnectionPool

from haleganada_server.core.baton import without_baton
from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition, Unavailable

from .connections import Connection, Row, check_server, configure, connect, parse_url
from .errors import UNREACHABLE, database_away
from .migrations import migrate

T = TypeVar("T")
_CONNECTIONS = 16  # of the pool; a call that needs none does not wait
_WAIT_S = 3.0


class Database:
    """Safe from any thread. close() it once."""

    def __init__(self, url: str) -> None:
        """Connect, check what the database is, bring its tables up to date. Raises Precondition."""
        self._conninfo, self.address = parse_url(url)
        """Where the database is, without user and password."""
        try:
            with connect(self._conninfo) as connection:
                check_server(connection)
                migrate(connection)
        except psycopg.Error as error:
            raise Precondition(
                f"the {self.address} cannot be used: {_describe(error)}", StartReason.DATABASE_UNUSABLE
            ) from None
        for name in ("psycopg", "psycopg.pool"):  # which tell of each lost connection; the feed does it once
            logging.getLogger(name).setLevel(logging.ERROR)
        self._is_away = False
        self._pool = self._make_pool()

    @property
    def is_away(self) -> bool:
        """Whether it cannot be reached, as far as is known."""
        return self._is_away

    def is_reachable(self) -> bool:
        """Ask whether it can be reached."""
        try:
            self.fetch("SELECT 1")
        except (Unavailable, *UNREACHABLE):
            return False
        return True

    def connect(self) -> Connection:
        """Open a connection outside the pool, which the caller closes. Raises psycopg.OperationalError."""
        return connect(self._conninfo)

    def note_away(self) -> None:
        """Let calls fail at once from now on, instead of waiting for a database that is away."""
        self._is_away = True

    def note_back(self) -> None:
        """Go on with new connections after the database was away."""
        if self._is_away:
            old, self._pool = self._pool, self._make_pool()
            self._is_away = False
            old.close(0)

    def fetch(self, query: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a query."""
        with self._working(lambda connection: connection.execute(query, values).fetchall()) as (_, found):
            return found

    def execute(self, query: str, values: Sequence[Any] = ()) -> None:
        """Carry out a statement that has no rows."""
        with self._working(lambda connection: connection.execute(query, values)):
            pass

    @contextmanager
    def transaction(
        self, query: str, values: Sequence[Any] = (), mode: str = ""
    ) -> Iterator[tuple[Connection, Row | None]]:
        """Begin a transaction with a query, and give the block its connection and the query's first row. The block
        commits it with COMMIT; otherwise it is rolled back. mode: of BEGIN.
        """

        def begin(connection: Connection) -> Row | None:
            with connection.pipeline():
                connection.execute(f"BEGIN {mode}")
                return connection.execute(query, values).fetchone()

        with self._working(begin) as (connection, found):
            yield connection, found

    @contextmanager
    def snapshot(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Connection, Row | None]]:
        """As transaction(), for reading one state, on a connection of its own, so that who reads slowly takes none from
        others.
        """
        if self._is_away:
            raise database_away()
        with without_baton(), self.connect() as connection:
            connection.execute("SET idle_in_transaction_session_timeout = 0")
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection, connection.execute(query, values).fetchone()

    def close(self) -> None:
        """Close the connections of the pool."""
        self._pool.close()

    @contextmanager
    def _working(self, begin: Callable[[Connection], T]) -> Iterator[tuple[Connection, T]]:
        """Give the block a connection of the pool on which `begin` has succeeded, and what it returned. A connection
        that was lost meanwhile is exchanged for another.
        """
        if self._is_away:
            raise database_away()
        pool = self._pool
        with without_baton():  # each statement waits for the database
            connection, begun = _begin(pool, begin)
            try:
                yield connection, begun
            finally:
                _give_back(pool, connection)

    def _make_pool(self) -> ConnectionPool[Connection]:
        return ConnectionPool(
            self._conninfo,
            connection_class=psycopg.Connection[tuple[Any, ...]],
            kwargs={"autocommit": True},
            configure=configure,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=_WAIT_S,
            name="haleganada",
            open=True,
        )


def _begin(pool: ConnectionPool[Connection], begin: Callable[[Connection], T]) -> tuple[Connection, T]:
    for remaining in reversed(range(_CONNECTIONS + 1)):
        connection = pool.getconn()
        try:
            return connection, begin(connection)
        except psycopg.OperationalError:
            was_lost = connection.closed
            _give_back(pool, connection)
            if not (was_lost and remaining):
                raise
        except BaseException:
            _give_back(pool, connection)
            raise
    raise AssertionError("the last try returns or raises")


def _give_back(pool: ConnectionPool[Connection], connection: Connection) -> None:
    with suppress(psycopg.Error):
        connection.rollback()
    pool.putconn(connection)


def _describe(error: psycopg.Error) -> str:
    """Return what PostgreSQL says, in one line."""
    return " ".join(str(error).split())
