"""Translates errors of SQLite and of the file system to those of the domain."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Exhausted, Unavailable

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_READ_ERRORS = ("SQLITE_IOERR_READ", "SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_CORRUPTFS", "SQLITE_IOERR_DATA")
_CORRUPTION_TEXTS = (
    "malformed", "not a database", "no such table", "no such column", "encrypted", "unable to open", "Could not decode",
)  # fmt: skip


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """Translate errors in the block, for the workspace `name`: a full or read-only disk to Exhausted, an unreadable
    file to DataLoss, one that was closed or is locked by another program to Unavailable. Other errors, which are bugs,
    pass.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translate(error, name) from error
    except UnicodeDecodeError as error:  # from a text, or from a message of SQLite that quotes damaged bytes
        raise unreadable(name, "a text in it is not UTF-8") from error
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise _disk_full() from error
        if error.errno in _READ_ONLY:
            raise _disk_read_only() from error
        raise


def _translate(error: sqlite3.DatabaseError, name: str) -> Exception:
    text, code = str(error), getattr(error, "sqlite_errorname", "")  # Python 3.10 has no codes, only texts
    if code in _READ_ERRORS:
        return unreadable(name, text)
    if "disk is full" in text or "disk I/O error" in text:  # a quota or a size limit gives the second
        return _disk_full()
    if "readonly" in text:
        return _disk_read_only()
    if "closed database" in text:
        return Unavailable(
            f"the workspace “{name}” is being replaced or closed; repeat the call", Reason.WORKSPACE_BUSY
        )
    if "locked" in text:
        return Unavailable(
            f"another program has locked the file of workspace “{name}”; close it there, then repeat the call",
            Reason.WORKSPACE_LOCKED,
        )
    if any(phrase in text for phrase in _CORRUPTION_TEXTS):
        return unreadable(name, text)
    return error


def _disk_full() -> Exhausted:
    return Exhausted(
        "the server's disk is full; free some space, then repeat the call (nothing was half-written)",
        Reason.DISK_FULL,
        retry_after_s=30.0,
    )


def _disk_read_only() -> Exhausted:
    return Exhausted(
        "the server cannot write to its data directory; make it writable, then repeat the call (nothing was "
        "half-written)",
        Reason.DISK_READ_ONLY,
        retry_after_s=30.0,
    )


def damaged_snapshot(name: str, snapshot_id: str) -> DataLoss:
    """Return the error for a snapshot that cannot be restored."""
    return DataLoss(
        f"the snapshot {snapshot_id} of workspace “{name}” is damaged and cannot be restored; nothing was changed. "
        "Choose another snapshot"
    )


def unreadable(name: str, why: str) -> DataLoss:
    """Return the error for a workspace whose file cannot be read."""
    return DataLoss(
        f"the file of workspace “{name}” cannot be read ({why}); other workspaces are not affected. "
        "Restore one of its snapshots, or reset it to start again; both move this file to the trash"
    )
