"""What SQLite and the file system complain of, in the words of the domain."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Exhausted, Unavailable

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MAY_NOT_WRITE = {errno.EROFS, errno.EACCES, errno.EPERM}
_CANNOT_READ = ("SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA")
_UNREADABLE = (
    "malformed", "not a database", "no such table", "no such column", "encrypted", "unable to open", "Could not decode",
)  # fmt: skip


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """In the block, for the workspace `name`: a disk that takes no more becomes Exhausted, a file that cannot be read
    DataLoss, one that was closed or is held by another program Unavailable. Other errors pass: they are faults.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translated(error, name) from error
    except UnicodeDecodeError as error:  # from a text, or from SQLite's own complaint that quotes damaged bytes
        raise unreadable(name, "a text in it is not UTF-8") from error
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise _no_room() from error
        if error.errno in _MAY_NOT_WRITE:
            raise _read_only() from error
        raise


def _translated(error: sqlite3.DatabaseError, name: str) -> Exception:
    text, code = str(error), getattr(error, "sqlite_errorname", "")  # Python 3.10 knows no codes, only texts
    if code in _CANNOT_READ:
        return unreadable(name, text)
    if "disk is full" in text or "disk I/O error" in text:  # the second is what a quota or a limit looks like
        return _no_room()
    if "readonly" in text:
        return _read_only()
    if "closed database" in text:
        return Unavailable(
            f"the workspace “{name}” is being replaced or closed; repeat the call", Reason.WORKSPACE_BUSY
        )
    if "locked" in text:
        return Unavailable(
            f"another program holds the file of workspace “{name}”; close it there, repeat the call",
            Reason.WORKSPACE_LOCKED,
        )
    if any(words in text for words in _UNREADABLE):
        return unreadable(name, text)
    return error


def _no_room() -> Exhausted:
    return Exhausted(
        "there is no room left on the server's disk; free some space, then repeat the call (nothing was half-written)",
        Reason.DISK_FULL,
        retry_after_s=30.0,
    )


def _read_only() -> Exhausted:
    return Exhausted(
        "the server may not write to its data directory; make it writable, then repeat the call (nothing was "
        "half-written)",
        Reason.DISK_READ_ONLY,
        retry_after_s=30.0,
    )


def damaged_snapshot(name: str, snapshot_id: str) -> DataLoss:
    """The error for a kept state that cannot be restored."""
    return DataLoss(
        f"the snapshot {snapshot_id} of workspace “{name}” is damaged and cannot be restored; nothing was changed. "
        "Choose another one from the list of snapshots"
    )


def unreadable(name: str, why: str) -> DataLoss:
    """The error for a workspace whose file cannot be read."""
    return DataLoss(
        f"the file of workspace “{name}” cannot be read ({why}); other workspaces are not affected. "
        "Restore one of its snapshots, or reset it to start anew; "
        "either keeps this file in the trash"
    )
