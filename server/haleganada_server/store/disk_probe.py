"""Asks the file system why SQLite could not use a file: SQLite says only that it could not.

Used when something has failed already, so it may take long: a file is read to its end.
"""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from haleganada_server.core.disk.files import measure_size

PROBE = "probe-"
"""How the names of the files begin that are written for that, and removed at once."""
_JOURNALS = ("-wal", "-shm")
_CHUNK = 1 << 20
_PROBE_BYTES = 1 << 16


def find_read_error(path: Path) -> OSError | None:
    """Return what keeps this process from reading a database or its journals; None if all can be read, and for a
    folder.
    """
    if path.is_dir():
        return None
    try:
        with path.open("rb", buffering=0) as file:
            _read_all(file.fileno())
        for suffix in _JOURNALS:
            journal = path.with_name(path.name + suffix)
            if journal.exists():
                with journal.open("rb", buffering=0) as file:
                    _read_all(file.fileno())
    except OSError as error:
        return error
    return None


def find_write_error(path: Path) -> OSError | None:
    """Return what keeps this process from writing to a database, or into a folder: it opens the database, and writes a
    small file beside it or into the folder.
    """
    if _is_at_size_limit(path):
        return OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    is_file = path.is_file()
    probe = (path.parent if is_file else path) / f"{PROBE}{secrets.token_hex(6)}"
    try:
        if is_file:
            path.open("rb+").close()
        try:
            with probe.open("xb", buffering=0) as file:
                file.write(bytes(_PROBE_BYTES))
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        return error
    return None


def _read_all(handle: int) -> None:
    while os.read(handle, _CHUNK):
        pass


def _is_at_size_limit(path: Path) -> bool:
    """Return whether the limit on file sizes of this process leaves no room for a commit in the journal of `path`."""
    if os.name == "nt":
        return False
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    sizes = (path.with_name(path.name + suffix) for suffix in ("", *_JOURNALS))
    largest = max(map(measure_size, sizes))
    return limit != resource.RLIM_INFINITY and largest + _CHUNK > limit
