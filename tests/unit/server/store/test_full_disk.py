"""No room: Exhausted, nothing half-written, reading goes on, and all is well once there is room again."""

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
from haleganada_server.core.sample_log.rows import ChangeKind, Event
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.store import DataDirectory
from haleganada_server.store.models import ModelFolders
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.store.rows import START_US, assert_same, sample, teach_all

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX systems")
BIG_DISK = 1 << 20


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes; writing more fails with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def teach_until_full(log: SqliteLog) -> int:
    """How many samples are on disk when there is no more room."""
    for taught in range(log.count(), 100_000):
        try:
            teach_all(log, ["a"])
        except Exhausted as error:
            assert (error.reason, log.count(), log.revision()) == ("DISK_FULL", taught, taught)
            assert "free some space" in error.message and error.retry_after_s > 0
            return taught
    raise AssertionError("the limit was never met")


def check_goes_on(directory: DataDirectory, log: SqliteLog, taught: int) -> None:
    """Teaching works again, on the same connection and after a restart; nothing is missing and nothing is too much."""
    teach_all(log, ["b", "b"])
    log.close()
    log = directory.open(log.name)
    assert [row.sample_id for row in log.every_sample()] == list(range(1, taught + 3))
    assert_same(log.sample(taught), sample(taught, "a"))
    log.close()


def test_teaching_until_the_file_may_not_grow(directory: DataDirectory, log: SqliteLog) -> None:
    with files_limited_to(200_000):
        taught = teach_until_full(log)
        assert taught == teach_until_full(log), "the second time as the first"
        assert len(list(log.every_sample())) == len(log.facts()) == taught
    check_goes_on(directory, log, taught)


@pytest.mark.parametrize("limit", [0, 100])
def test_nothing_is_thrown_away_without_room_for_its_manifest(
    directory: DataDirectory, log: SqliteLog, limit: int
) -> None:
    teach_all(log, ["a"] * 20)
    log.fold()  # so that only the manifest is still to be written
    with files_limited_to(limit):
        for attempt in (lambda: directory.retire(log, "w", "reset"), *saving(directory, log)):
            with pytest.raises(Exhausted):
                attempt()
    assert directory.names() == ["w"] and directory.snapshots("w") == []
    check_goes_on(directory, log, 20)


def test_a_restore_without_room_leaves_the_way_back(directory: DataDirectory, log: SqliteLog) -> None:
    teach_all(log, ["a"] * 200)
    kept = directory.save(log, "")
    retired = directory.retire(log, "w", "restore")
    assert retired is not None
    with files_limited_to(kept.bytes - 1):
        with pytest.raises(Exhausted):
            directory.restore("w", kept.snapshot_id, Event(ChangeKind.RESTORE, START_US))
        assert not directory.exists("w")
        back = directory.bring_back("w", retired)
        assert back.count() == 200
    check_goes_on(directory, back, 200)


def test_a_whole_small_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, BIG_DISK):
        directory = DataDirectory(disk / "data", PillowRasterizer())
        log = directory.create("w")
        filler = disk / "filler"
        filler.write_bytes(bytes(BIG_DISK // 2))
        taught = teach_until_full(log)
        for attempt in saving(directory, log):
            with pytest.raises(Exhausted):
                attempt()
        assert len(list(log.every_sample())) == taught
        filler.unlink()
        check_goes_on(directory, log, taught)
        directory.close()


def saving(directory: DataDirectory, log: SqliteLog) -> list[Callable[[], object]]:
    """What else needs room."""
    return [
        lambda: directory.save(log, ""),
        lambda: directory.create("other"),
        *(lambda form=form: directory.export(log, form) for form in TransferFormat),
    ]


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[None]:
    """A file system of `size` bytes in memory; skips the test where this user may not mount one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk, and this is how Linux does it")
    mounting = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if mounting.returncode:
        pytest.skip(f"cannot mount a small disk here: {mounting.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_models_choice_that_cannot_be_written_leaves_the_old_one(directory: DataDirectory, data: Path) -> None:
    folders = ModelFolders(data / "models", directory.temporary_file)
    folders.save_active({"w": "a" * 12})
    with files_limited_to(0), pytest.raises(Exhausted) as caught:
        folders.save_active({"w": "b" * 12})
    assert caught.value.reason == "DISK_FULL"
    assert folders.load_active() == {"w": "a" * 12} and not list((data / "tmp").iterdir())
    folders.save_active({})
    assert folders.load_active() == {}
