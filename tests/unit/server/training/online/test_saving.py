"""When a checkpoint is written: not so often that learning suffers, nor so seldom that much would be lost."""

from __future__ import annotations

import pytest
from haleganada_server.training.online.saving import Saving


class Disk:
    """Writes checkpoints on a clock of its own, each in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.written = seconds, 0.0, 0

    def save(self) -> None:
        self.now += self.seconds
        self.written += 1


def after(disk: Disk, samples: int, seconds: float, left: int) -> int:
    """Checkpoints that were written once so many samples were learned, each in that time."""
    saving = Saving(disk.save, lambda: disk.now)
    for _ in range(samples):
        saving.learned(seconds, left)
    return disk.written


@pytest.mark.parametrize(("left", "written"), [(0, 24), (9, 2)])
def test_at_rest_every_few_seconds_of_learning_else_every_minute(left: int, written: int) -> None:
    assert after(Disk(0.01), samples=240, seconds=0.5, left=left) == written


def test_on_a_slow_disk_seldom() -> None:
    disk = Disk(10.0)
    assert after(disk, samples=1200, seconds=0.5, left=0) == 3
    assert disk.now <= 600 / 20 + 10


def test_on_leaving_what_takes_longer_to_learn_than_to_save() -> None:
    disk = Disk(3.0)
    saving = Saving(disk.save, lambda: disk.now)
    saving.leave()
    assert disk.written == 0, "there is nothing to save"
    saving.learned(2.0, 0)
    saving.leave()
    saving.learned(2.0, 0)
    saving.leave()
    assert disk.written == 1, "learning it again is quicker, now that the disk's speed is known"


def test_what_was_thrown_away_need_not_be_saved() -> None:
    disk = Disk(0.0)
    saving = Saving(disk.save, lambda: disk.now)
    saving.learned(4.0, 1)
    saving.went_back()
    saving.learned(4.0, 0)
    assert disk.written == 0
