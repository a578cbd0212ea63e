"""Snapshots that the server takes by itself: when, of what, and what becomes of them. Time is passed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Exhausted
from haleganada_server.core.workspaces.snapshots.automatic import AutomaticSnapshots
from haleganada_server.core.workspaces.snapshots.keeper import SnapshotKeeper
from haleganada_server.core.workspaces.snapshots.retention import DAY_S, SECOND_US
from haleganada_server.core.workspaces.types import SnapshotInfo, SnapshotKind
from haleganada_server.vision import PillowRasterizer

from tests.support.memory_store import MemoryDirectory, MemoryLog
from tests.support.waiting import wait_until
from tests.unit.server.core.workspaces.small_world import lesson, open_workspaces
from tests.unit.server.store.rows import reset_event, teach_all


@dataclass
class World:
    """A workspace “w” in memory whose snapshots are taken when a test says so, at the time that it says."""

    now_us: int = 1_800_000_000 * SECOND_US
    opened: int = 0
    disk_is_full: bool = False

    def __post_init__(self) -> None:
        self.directory = MemoryDirectory(PillowRasterizer(), lambda: self.now_us)
        self.log: MemoryLog = self.directory.create("w")
        self.keeper = SnapshotKeeper(self.directory, clock=lambda: self.now_us)
        self.automatic = AutomaticSnapshots(self.keeper, self.use, clock=lambda: self.now_us)

    @contextmanager
    def use(self, name: str) -> Iterator[World]:
        assert name == "w"
        self.opened += 1
        yield self

    def save(self, name: str = "", kind: SnapshotKind = SnapshotKind.SAVED) -> SnapshotInfo:
        if self.disk_is_full:
            raise Exhausted("the disk is full", Reason.DISK_FULL)
        return self.directory.save(self.log, name, kind)

    def teach(self, count: int) -> bool:
        """Teach, and return whether that led to a snapshot."""
        teach_all(self.log, ["a"] * count)
        self.automatic.note_change("w", self.log.revision(), self.log.count())
        return self.automatic.take_due() == ["w"]

    def pass_time(self, seconds: float) -> bool:
        """Let time pass, and return whether that led to a snapshot."""
        self.now_us += round(seconds * SECOND_US)
        return self.automatic.take_due() == ["w"]

    def kinds(self) -> list[str]:
        return [info.kind.value for info in self.directory.snapshots("w")]


def test_the_first_comes_soon_and_the_next_after_more_changes() -> None:
    world = World()
    assert not world.teach(9) and world.teach(1)
    world.pass_time(60)
    assert not world.teach(99) and world.teach(1)
    assert world.kinds() == ["automatic"] * 2


def test_a_large_workspace_is_copied_after_a_tenth_of_its_samples() -> None:
    world = World()
    assert world.teach(5000)
    world.pass_time(60)
    assert not world.teach(500) and world.teach(60)


def test_teaching_without_a_pause_is_copied_once_a_minute() -> None:
    world = World()
    assert world.teach(10)
    world.pass_time(59)
    assert not world.teach(100) and world.pass_time(1)


def test_a_day_with_changes_is_copied_and_one_without_is_not() -> None:
    world = World()
    assert world.teach(10) and not world.pass_time(10 * DAY_S)
    assert world.teach(1)
    assert not world.teach(1) and not world.pass_time(DAY_S - 1) and world.pass_time(1)
    assert world.opened == 3 and not world.pass_time(10 * DAY_S) and world.opened == 3


def test_what_somebody_saved_counts() -> None:
    world = World()
    teach_all(world.log, ["a"] * 50)
    world.save("mine")
    assert not world.teach(50) and world.teach(50)


def test_after_a_reset_the_new_state_needs_a_way_back_of_its_own() -> None:
    world = World()
    assert world.teach(150)
    world.log, _ = world.directory.replace("w", world.log, reset_event())
    world.automatic.note_kept("w")
    world.pass_time(60)
    assert not world.teach(8) and world.teach(1)


def test_only_the_newest_are_kept() -> None:
    world = World()
    for _ in range(8):
        assert world.teach(100)
        world.pass_time(60)
    assert world.kinds() == ["automatic"] * 5


def test_old_trash_expires_without_any_change() -> None:
    world = World()
    world.teach(10)
    world.log, _ = world.directory.replace("w", world.log, reset_event())
    assert sorted(world.kinds()) == ["automatic", "trash"]
    assert world.teach(30)
    world.pass_time(29 * DAY_S)
    assert "trash" in world.kinds()
    world.pass_time(2 * DAY_S)
    assert "trash" not in world.kinds()


def test_a_full_disk_is_tried_again_later(caplog: pytest.LogCaptureFixture) -> None:
    world = World(disk_is_full=True)
    assert not world.teach(10) and "the disk is full" in caplog.text
    world.disk_is_full = False
    assert not world.teach(1) and world.pass_time(600)


class AbsentDirectory(MemoryDirectory):
    """Cannot be listed while it is absent, as a disk on the network."""

    is_absent = True

    def names_with_snapshots(self) -> list[str]:
        if self.is_absent:
            raise FileNotFoundError("workspaces")
        return super().names_with_snapshots()


def test_a_folder_that_is_absent_for_a_while_does_not_end_the_snapshots(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    directory = AbsentDirectory(PillowRasterizer(), lambda: world.now_us)
    world.directory, world.log = directory, directory.create("w")
    world.keeper = SnapshotKeeper(directory, clock=lambda: world.now_us)
    world.automatic = AutomaticSnapshots(world.keeper, world.use, clock=lambda: world.now_us)
    world.now_us += round(DAY_S * SECOND_US)  # when folders are listed anyway
    world.automatic.start()
    wait_until(lambda: "cannot be kept up to date" in caplog.text)
    directory.is_absent = False
    teach_all(world.log, ["a"] * 12)
    world.automatic.note_change("w", world.log.revision(), world.log.count())
    wait_until(lambda: world.kinds() == ["automatic"])
    world.automatic.close()


def test_a_damaged_file_has_a_way_back(tmp_path: Path) -> None:
    """Nobody saved anything; the error names the snapshot, and it can be restored."""
    workspaces = open_workspaces(tmp_path)
    for number in range(12):
        workspaces.get().train(lesson(number))
    wait_until(lambda: bool(workspaces.snapshots()))
    workspaces.close()
    log = next(tmp_path.glob("workspaces/*/log.sqlite3"))
    log.write_bytes(b"\xa5" * log.stat().st_size)
    workspaces = open_workspaces(tmp_path)
    (kept,) = workspaces.snapshots()
    with pytest.raises(DataLoss, match=rf"newest snapshots: {kept.snapshot_id} \(“automatic”"):
        workspaces.get()
    workspaces.restore("", kept.snapshot_id)
    assert workspaces.get().knowledge.samples_total >= 10
    workspaces.close()


def test_what_is_due_at_the_end_is_taken(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    for number in range(12):
        workspaces.get().train(lesson(number))
    workspaces.close()
    workspaces = open_workspaces(tmp_path)
    assert [kept.kind for kept in workspaces.snapshots()] == [SnapshotKind.AUTOMATIC]
    workspaces.close()
