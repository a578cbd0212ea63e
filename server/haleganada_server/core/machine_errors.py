"""Errors of the machine: no file descriptor, memory or disk space is left, or the disk fails.

They say nothing about the data. Whoever takes an error as a sign of damage asks this module first, so that a sound file
is never called damaged because the machine could not read it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from .error_reasons import Reason
from .errors import Exhausted, Unavailable

_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE}
_NO_MEMORY = {errno.ENOMEM}
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_DISK_FAILS = {errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE}
_NO_THREAD = "can't start new thread"  # which Python says without a number
_RETRY_FULL_S = 30.0
_RETRY_S = 5.0


def to_machine_error(error: BaseException) -> Exhausted | Unavailable | None:
    """Return what to tell a caller about an error of the machine; None for any other error."""
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _NO_THREAD in str(error)):
        return no_memory()
    if not isinstance(error, OSError):
        return None
    for numbers, describe in (
        (_NO_DESCRIPTOR, no_descriptor),
        (_NO_MEMORY, no_memory),
        (_DISK_FULL, disk_full),
        (_READ_ONLY, disk_read_only),
        (_DISK_FAILS, disk_fails),
    ):
        if error.errno in numbers:
            return describe()
    return None


def raise_machine_error(error: BaseException) -> None:
    """Raise what to_machine_error returns; do nothing for any other error."""
    if (found := to_machine_error(error)) is not None:
        raise found from error


@contextmanager
def machine_errors() -> Iterator[None]:
    """Raise errors of the machine in the block as Exhausted or Unavailable; let others pass."""
    try:
        yield
    except (OSError, MemoryError, RuntimeError) as error:
        raise_machine_error(error)
        raise


def no_descriptor() -> Exhausted:
    """Return the error for a process or machine that cannot open another file."""
    return Exhausted(
        "the server cannot open more files at the moment, and nothing is damaged; repeat the call. If this persists, "
        "restart the server with a higher limit of open files (ulimit -n)",
        Reason.TOO_MANY_OPEN_FILES,
        retry_after_s=_RETRY_S,
    )


def no_memory() -> Exhausted:
    """Return the error for a machine without free memory."""
    return Exhausted(
        "the server's memory is used up, and nothing is damaged; send less in one call, or repeat it later. If this "
        "persists, give the server more memory",
        Reason.MEMORY_EXHAUSTED,
        retry_after_s=_RETRY_S,
    )


def disk_full() -> Exhausted:
    """Return the error for a disk, a quota or a size limit that allows no more bytes."""
    return Exhausted(
        "the server's disk is full; free some space, then repeat the call (nothing was half-written)",
        Reason.DISK_FULL,
        retry_after_s=_RETRY_FULL_S,
    )


def disk_read_only() -> Exhausted:
    """Return the error for a data directory that this user may not use."""
    return Exhausted(
        "the server cannot write to its data directory, or may not read a file in it; give the server's user the right "
        "to do both, then repeat the call (nothing was half-written)",
        Reason.DISK_READ_ONLY,
        retry_after_s=_RETRY_FULL_S,
    )


def disk_fails() -> Unavailable:
    """Return the error for a disk that did not carry out a request."""
    return Unavailable(
        "the server's disk reported an error, which does not mean that anything is damaged; repeat the call. If this "
        "persists, look for disk errors in the system's log, and move the data directory to another disk",
        Reason.STORAGE_FAILED,
        retry_after_s=_RETRY_S,
    )
