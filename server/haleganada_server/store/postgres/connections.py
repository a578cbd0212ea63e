"""How a server connects to PostgreSQL: what a connection is set to, and what the database must be."""

from __future__ import annotations

from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"
Row = tuple[Any, ...]
SCHEMA = "haleganada"
_DEFAULTS: dict[str, str | int] = {
    "application_name": "haleganada",
    "connect_timeout": 3,  # seconds, as the next two
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,  # milliseconds until a machine that does not answer counts as gone
    "target_session_attrs": "read-write",  # of several hosts, the one that may be written to
}
_SESSION = (
    f"SET search_path = {SCHEMA}; SET client_encoding = 'UTF8'; SET lock_timeout = '5s'; "
    # The row lock of a server whose machine was switched off must not hold up the others for hours.
    "SET idle_in_transaction_session_timeout = '30s'; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; "
    "SET tcp_keepalives_count = 3; "
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
)
_FACTS = (
    "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'), "
    "current_setting('fsync'), pg_is_in_recovery()"
)
_OLDEST = 140000


def parse_url(url: str) -> tuple[str, str]:
    """Return what libpq connects with, and the database's place without user and password, for people. Raises
    Precondition, which does not repeat what may hold a password.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        given = {}
    if not url.startswith(("postgresql://", "postgres://")) or not given:
        raise Precondition(
            "--store must be the address of a PostgreSQL database, such as postgresql://USER@HOST/DATABASE; keep the "
            "password in ~/.pgpass or in PGPASSWORD",
            StartReason.DATABASE_UNUSABLE,
        )
    host, port, name = given.get("host") or "this machine", given.get("port"), given.get("dbname") or "its default"
    where = f"{host}:{port}" if port else str(host)
    return make_conninfo("", **{**_DEFAULTS, **given}), f"database {name} on {where}"


def connect(conninfo: str) -> Connection:
    """Open a connection that commits each statement by itself. Raises psycopg.OperationalError."""
    connection = psycopg.connect(conninfo, autocommit=True)
    try:
        configure(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def configure(connection: Connection) -> None:
    """Set a new connection to what all need: a commit is on the database's disk when it returns."""
    connection.execute(_SESSION)


def check_server(connection: Connection) -> None:
    """Raise Precondition unless the database can keep a log."""
    row = connection.execute(_FACTS).fetchone()
    assert row is not None
    version, encoding, fsync, is_standby = row
    problem = ""
    if version < _OLDEST:
        problem = "PostgreSQL is older than 14; update it"
    elif encoding != "UTF8":
        problem = f"its encoding is {encoding}; make one with createdb --encoding UTF8 --template template0"
    elif is_standby:
        problem = "it is a standby that cannot be written to; name the primary"
    elif fsync != "on":
        problem = "PostgreSQL runs with fsync = off, so a power failure would lose what was acknowledged; turn it on"
    if problem:
        raise Precondition(f"the database of --store cannot be used: {problem}", StartReason.DATABASE_UNUSABLE)
