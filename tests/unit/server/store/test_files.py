"""Files that are about to be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from haleganada_server.store import files

from tests.support.waiting import wait_until

SIZE = 3_000_000


def is_in_memory(path: Path) -> bool:
    """Return whether the system has a whole file in memory. Reads nothing from the disk."""
    with path.open("rb", buffering=0) as file:
        try:
            return os.preadv(file.fileno(), [bytearray(SIZE)], 0, os.RWF_NOWAIT) == SIZE
        except BlockingIOError:
            return False


def evict(path: Path) -> None:
    """Ask the system to drop a file from memory."""
    with path.open("rb+", buffering=0) as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="only Linux tells what is in memory")
def test_a_file_is_read_ahead(disk_path: Path) -> None:
    path = disk_path / "log"
    path.write_bytes(os.urandom(SIZE))
    try:
        evict(path)
        if is_in_memory(path):
            pytest.skip("this file system is in memory")
    except OSError:
        pytest.skip("this file system does not tell what is in memory")
    files.read_ahead(path)
    wait_until(lambda: is_in_memory(path))


def test_a_file_that_cannot_be_opened_is_not_read_ahead(tmp_path: Path) -> None:
    files.read_ahead(tmp_path / "missing")
