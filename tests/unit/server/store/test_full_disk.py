"""A full disk raises Exhausted and leaves nothing half-written; reads still work, and writes once there is space."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from haleganada_server.core.errors import Exhausted
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.store import DataDirectory
from haleganada_server.store.models import ModelFolders
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.store.rows import assert_same, reset_event, restore_event, sample, teach_all

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX systems")
BIG_DISK = 1 << 20


@contextmanager
def limit_file_size(size: int) -> Iterator[None]:
    """Limit the files of this process to `size` bytes; writing more fails with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def teach_until_full(log: SqliteLog) -> int:
    """Teach until the disk is full, and return the number of samples on disk."""
    for taught in range(log.count(), 100_000):
        try:
            teach_all(log, ["a"])
        except Exhausted as error:
            assert (error.reason, log.count(), log.revision()) == ("DISK_FULL", taught, taught)
            assert "free some space" in error.message and error.retry_after_s > 0
            return taught
    raise AssertionError("the limit was never reached")


def check_teaching_works(directory: DataDirectory, log: SqliteLog, taught: int) -> None:
    """Check that teaching works again, on the same connection and after a restart, with exactly the right samples."""
    teach_all(log, ["b", "b"])
    log.close()
    log = directory.open(log.name)
    assert [row.sample_id for row in log.all_samples()] == list(range(1, taught + 3))
    assert_same(log.sample(taught), sample(taught, "a"))
    log.close()


def test_teaching_until_the_file_cannot_grow(directory: DataDirectory, log: SqliteLog) -> None:
    with limit_file_size(200_000):
        taught = teach_until_full(log)
        assert taught == teach_until_full(log), "the second time is like the first"
        assert len(list(log.all_samples())) == len(log.sample_facts()) == taught
    check_teaching_works(directory, log, taught)


@pytest.mark.parametrize("limit", [0, 100])
def test_nothing_moves_to_the_trash_without_space_for_its_manifest(
    directory: DataDirectory, log: SqliteLog, limit: int
) -> None:
    teach_all(log, ["a"] * 20)
    log.checkpoint()  # so that only the manifest has to be written
    with limit_file_size(limit):
        for attempt in (lambda: directory.replace("w", log, reset_event()), *make_saves(directory, log)):
            with pytest.raises(Exhausted):
                attempt()
    assert directory.names() == ["w"] and directory.snapshots("w") == []
    check_teaching_works(directory, log, 20)


def test_a_restore_without_space_changes_nothing(directory: DataDirectory, log: SqliteLog) -> None:
    teach_all(log, ["a"] * 200)
    kept = directory.save(log, "")
    with limit_file_size(kept.bytes - 1), pytest.raises(Exhausted):
        directory.replace("w", log, restore_event(), kept.snapshot_id)
    assert log.count() == 200 and not log.closed and directory.snapshots("w") == [kept]
    check_teaching_works(directory, log, 200)


def test_a_whole_small_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mount_small_disk(disk, BIG_DISK):
        directory = DataDirectory(disk / "data", PillowRasterizer())
        log = directory.create("w")
        filler = disk / "filler"
        filler.write_bytes(bytes(BIG_DISK // 2))
        taught = teach_until_full(log)
        for attempt in make_saves(directory, log):
            with pytest.raises(Exhausted):
                attempt()
        assert len(list(log.all_samples())) == taught
        filler.unlink()
        check_teaching_works(directory, log, taught)
        directory.close()


def make_saves(directory: DataDirectory, log: SqliteLog) -> list[Callable[[], object]]:
    """Return other operations that need disk space."""
    return [
        lambda: directory.save(log, ""),
        lambda: directory.create("other"),
        *(lambda form=form: directory.export(log, form) for form in TransferFormat),
    ]


@contextmanager
def mount_small_disk(folder: Path, size: int) -> Iterator[None]:
    """Mount a file system of `size` bytes in memory; skip the test if this user cannot."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk, and this is how Linux does it")
    mounting = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if mounting.returncode:
        pytest.skip(f"cannot mount a small disk here: {mounting.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_an_active_model_that_cannot_be_saved_leaves_the_old_one(directory: DataDirectory, data: Path) -> None:
    folders = ModelFolders(data / "models", directory.temporary_file)
    folders.save_active({"w": "a" * 12})
    with limit_file_size(0), pytest.raises(Exhausted) as caught:
        folders.save_active({"w": "b" * 12})
    assert caught.value.reason == "DISK_FULL"
    assert folders.load_active() == {"w": "a" * 12} and not list((data / "tmp").iterdir())
    folders.save_active({})
    assert folders.load_active() == {}
