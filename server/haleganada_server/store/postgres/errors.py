"""Translates errors of PostgreSQL to those of the domain. No message holds the database's address or a password."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Unavailable
from haleganada_server.core.machine_errors import disk_full, machine_errors

_RETRY_S = 1.0
_NEVER_S = 3600.0  # after which to repeat what only a restart makes possible: longer than any client waits
_WAY_BACK = "Restore a backup of the database, restore one of this workspace's snapshots, or reset it to start again"


@contextmanager
def database_errors(name: str) -> Iterator[None]:
    """Translate errors in the block, for the workspace `name`: a database that cannot be reached, a lock that takes too
    long and a full disk to Unavailable or Exhausted, rows that are not as they were written to DataLoss. Others, which
    are bugs, pass.
    """
    try:
        with machine_errors():
            yield
    except pg.LockNotAvailable as error:
        raise Unavailable(
            f"another server has been changing the workspace “{name}” for several seconds; repeat the call",
            Reason.WORKSPACE_LOCKED,
            retry_after_s=_RETRY_S,
        ) from error
    except (pg.DiskFull, pg.OutOfMemory) as error:
        raise disk_full() from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolClosed, *_ENDED_BY_DATABASE) as error:
        raise database_away() from error
    except sqlite3.DatabaseError as error:  # what the checksums say, which are those of a file
        raise damaged_rows(name, [str(error)]) from error


_ENDED_BY_DATABASE = (pg.ReadOnlySqlTransaction, pg.IdleInTransactionSessionTimeout)
UNREACHABLE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed)
"""What a database that is away raises."""


def database_away() -> Unavailable:
    """Return the error for a database that cannot be reached, or has just been restarted."""
    return Unavailable(
        "the server's database cannot be reached at the moment, so nothing can be taught or listed; what is in memory "
        "still answers Predict. Repeat the call with the same request_id: it is carried out once",
        Reason.DATABASE_UNAVAILABLE,
        retry_after_s=_RETRY_S,
    )


def database_behind(name: str, known: int, found: int) -> Unavailable:
    """Return the error for a database that has lost changes which this server has seen committed. known, found: the
    revisions here and there.
    """
    return Unavailable(
        f"the database has the workspace “{name}” at revision {found}, but revision {known} was acknowledged: an older "
        "backup, or a standby that was behind, has taken its place. So nothing more is taught to it, and it still "
        "answers. Bring the newer database back; or restart all servers, to go on from the older state",
        Reason.WRITING_STOPPED,
        retry_after_s=_NEVER_S,
    )


def log_replaced(name: str) -> Unavailable:
    """Return the error for a read of a log that another server has just replaced."""
    return Unavailable(f"the workspace “{name}” is being replaced or closed; repeat the call", Reason.WORKSPACE_BUSY)


def damaged_rows(name: str, lost: Sequence[str]) -> DataLoss:
    """Return the error for a workspace some of whose rows are not as they were written. lost: what they are."""
    return DataLoss(
        f"the rows of workspace “{name}” in the database are damaged ({'; '.join(lost)}); other workspaces are not "
        f"affected. {_WAY_BACK}",
        Reason.WORKSPACE_CORRUPT,
    )
