"""Changes of what servers share, numbered in the order in which they are committed, so that whoever asks for greater
numbers than the last misses none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from haleganada_server.store.postgres.connections import Connection
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.errors import database_errors

_TURN = "SELECT pg_advisory_xact_lock(%s)"
_LOCK = 0x48414C45_0002
_SHORT = "SET LOCAL idle_in_transaction_session_timeout = '4s'"
"""All servers wait for who has the turn, each for 5 s at most; so a server that stands still in the middle loses it."""


@contextmanager
def changing(database: Database, what: str) -> Iterator[Connection]:
    """Give the block a transaction in which it has the turn among all servers, and commit when it ends normally. what:
    is changed, for errors.
    """
    with database_errors(what), database.transaction(_TURN, (_LOCK,)) as (connection, _):
        connection.execute(_SHORT)
        yield connection
        connection.execute("COMMIT")
