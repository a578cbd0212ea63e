"""Translates errors of SQLite and of the file system to those of the domain.

Errors of the machine (core/machine_errors.py) come first: a file is called damaged only if it could be read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Unavailable
from haleganada_server.core.machine_errors import (
    disk_fails,
    disk_full,
    disk_read_only,
    machine_errors,
    no_descriptor,
    to_machine_error,
)

from .disk_probe import find_read_error, find_write_error

_UNSYNCED = ("SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC")
_SHORTENED = ("SQLITE_IOERR_SHORT_READ", "SQLITE_IOERR_DATA")
_CORRUPTION_TEXTS = (
    "malformed", "not a database", "no such table", "no such column", "encrypted", "Could not decode",
    "unsupported file format",
)  # fmt: skip
_NEVER_S = 3600.0  # after which to repeat what only a restart makes possible: longer than any client waits

WAYS_BACK = (
    "Restore one of its snapshots, or reset it to start again; both move this file to the trash. With the server "
    "stopped, `haleganada verify` says what can be saved, and `haleganada repair` saves it"
)


@contextmanager
def storage_errors(name: str, path: Path | None = None) -> Iterator[None]:
    """Translate errors in the block, for the workspace `name`: those of the machine to Exhausted or Unavailable, a
    damaged file to DataLoss, one that was closed or is locked by another program to Unavailable. Other errors, which
    are bugs, pass.

    path: the file that SQLite uses in the block, or the folder of several; it is asked why, where SQLite does not say.
    """
    try:
        with machine_errors():
            yield
    except sqlite3.DatabaseError as error:
        raise _translate(error, name, path) from error
    except UnicodeDecodeError as error:  # from a text, or from a message of SQLite that quotes damaged bytes
        raise unreadable(name, "a text in it is not UTF-8") from error


def is_failed_sync(error: BaseException, path: Path) -> bool:
    """Return whether an error inside a transaction on the file `path` leaves open what is on the disk.

    After a failed fsync the system may have dropped what it could not write, and report success the next time. A write
    that failed because the disk is full is no such error: nothing was written, and SQLite has rolled it back.
    """
    if isinstance(error, OSError):
        found = to_machine_error(error)
        return found is not None and found.reason is Reason.STORAGE_FAILED
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = _code(error)
    if code in _UNSYNCED:
        return True
    failed = code.startswith("SQLITE_IOERR") and not code.startswith("SQLITE_IOERR_READ")
    unknown = not code and "disk I/O error" in str(error)
    return (failed or unknown) and code not in _SHORTENED and find_write_error(path) is None


def _translate(error: sqlite3.DatabaseError, name: str, path: Path | None) -> Exception:
    text, code = str(error), _code(error)
    if code in _SHORTENED:
        return unreadable(name, text)
    if "disk is full" in text:
        return disk_full()
    if "disk I/O error" in text:  # a full disk, a quota or a size limit may give this, too
        return _describe_io_error(path)
    if "readonly" in text:
        return disk_read_only()
    if "unable to open" in text:
        return _describe_unopened(name, path)
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
        found = find_read_error(path) if path else None  # SQLite calls a disk that cannot read damaged, too
        return (found and to_machine_error(found)) or unreadable(name, text)
    return error


def _describe_io_error(path: Path | None) -> Exception:
    found = (find_write_error(path) or find_read_error(path)) if path else None
    return (found and to_machine_error(found)) or disk_fails()


def _describe_unopened(name: str, path: Path | None) -> Exception:
    """Return why a file cannot be opened. If it can be now, descriptors had run out: other causes stay."""
    found = (find_read_error(path) or find_write_error(path)) if path else None
    if found is None:
        return no_descriptor()
    return to_machine_error(found) or unreadable(name, "it is missing, or is no longer a file")


def _code(error: sqlite3.DatabaseError) -> str:
    return getattr(error, "sqlite_errorname", "")  # Python 3.10 has no codes, only texts


def writing_stopped(name: str) -> Unavailable:
    """Return the error for a workspace whose file gets no more changes because the disk failed to keep one."""
    return Unavailable(
        f"the server's disk failed to store a change of workspace “{name}”, so nothing more is taught to it; it still "
        "answers. Look for disk errors in the system's log, then restart the server: it shows which was the "
        "last change that was kept",
        Reason.WRITING_STOPPED,
        retry_after_s=_NEVER_S,
    )


def damaged_snapshot(name: str, snapshot_id: str) -> DataLoss:
    """Return the error for a snapshot that cannot be restored."""
    return DataLoss(
        f"the snapshot {snapshot_id} of workspace “{name}” is damaged and cannot be restored; nothing was changed. "
        "Choose another snapshot"
    )


def unusable_snapshot(error: DataLoss, name: str, snapshot_id: str) -> DataLoss:
    """Return what to tell of a snapshot whose file cannot be opened. error: why not."""
    if error.reason is not Reason.WORKSPACE_TOO_NEW:
        return damaged_snapshot(name, snapshot_id)
    return DataLoss(
        f"the snapshot {snapshot_id} of workspace “{name}” was written by a newer version of this server; update the "
        "server, or choose another snapshot; nothing was changed",
        Reason.WORKSPACE_TOO_NEW,
    )


def unreadable(name: str, why: str) -> DataLoss:
    """Return the error for a workspace whose file cannot be read."""
    return DataLoss(
        f"the file of workspace “{name}” cannot be read ({why}); other workspaces are not affected. {WAYS_BACK}"
    )


def damaged_rows(name: str, lost: Sequence[str]) -> DataLoss:
    """Return the error for a workspace some of whose rows are not as they were written. lost: what they are."""
    return DataLoss(
        f"the file of workspace “{name}” is damaged ({'; '.join(lost)}); other workspaces are not affected. {WAYS_BACK}"
    )
