"""What SQLite and the file system complain of, in the words of the domain."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from haleganada_server.core.errors import DataLoss, Exhausted, Unavailable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL = "there is no room left on the server's disk; free some space, then repeat the call (nothing was half-written)"
_CORRUPT = ("malformed", "not a database", "no such table", "no such column", "encrypted")


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Raises Exhausted for a full disk, DataLoss for a file that cannot be read, Unavailable for one closed
    meanwhile.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translated(error, name) from error
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Exhausted(_FULL, "DISK_FULL", retry_after_s=30.0) from error
        raise


def _translated(error: sqlite3.DatabaseError, name: str) -> Exception:
    text = str(error)
    if any(word in text for word in _CORRUPT):
        return corrupt(name, text)
    if "closed database" in text:
        return Unavailable(f"the workspace “{name}” is being replaced or closed; repeat the call")
    if isinstance(error, sqlite3.OperationalError) and ("full" in text or "I/O" in text or "readonly" in text):
        return Exhausted(_FULL, "DISK_FULL", retry_after_s=30.0)
    return error


def corrupt(name: str, why: str) -> DataLoss:
    """The error for a workspace whose file cannot be read."""
    return DataLoss(
        f"the file of workspace “{name}” cannot be read ({why}); other workspaces are not affected. "
        "Go back to one of its snapshots with RestoreSnapshot, or start anew with Reset; "
        "either keeps this file in the trash"
    )
