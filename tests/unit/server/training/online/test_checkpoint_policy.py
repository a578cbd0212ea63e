"""Checkpoints are not so frequent that learning suffers, nor so rare that much would be lost."""

from __future__ import annotations

import pytest
from haleganada_server.training.online.checkpoint_policy import CheckpointPolicy


class Disk:
    """Writes checkpoints on a simulated clock, each in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.written = seconds, 0.0, 0

    def save(self) -> None:
        self.now += self.seconds
        self.written += 1


def count_checkpoints(disk: Disk, samples: int, seconds: float, left: int) -> int:
    """Learn so many samples, each in that time, and return the number of checkpoints written."""
    policy = CheckpointPolicy(disk.save, lambda: disk.now)
    for _ in range(samples):
        policy.record_learned(seconds, left)
    return disk.written


@pytest.mark.parametrize(("left", "written"), [(0, 24), (9, 2)])
def test_every_few_seconds_of_learning_when_idle_and_every_minute_when_busy(left: int, written: int) -> None:
    assert count_checkpoints(Disk(0.01), samples=240, seconds=0.5, left=left) == written


def test_rarely_on_a_slow_disk() -> None:
    disk = Disk(10.0)
    assert count_checkpoints(disk, samples=1200, seconds=0.5, left=0) == 3
    assert disk.now <= 600 / 20 + 10


def test_before_exit_if_learning_takes_longer_than_saving() -> None:
    disk = Disk(3.0)
    policy = CheckpointPolicy(disk.save, lambda: disk.now)
    policy.save_before_exit()
    assert disk.written == 0, "there is nothing to save"
    policy.record_learned(2.0, 0)
    policy.save_before_exit()
    policy.record_learned(2.0, 0)
    policy.save_before_exit()
    assert disk.written == 1, "learning it again is quicker, now that the disk's speed is known"


def test_what_a_rebuild_discards_is_not_saved() -> None:
    disk = Disk(0.0)
    policy = CheckpointPolicy(disk.save, lambda: disk.now)
    policy.record_learned(4.0, 1)
    policy.record_rebuild()
    policy.record_learned(4.0, 0)
    assert disk.written == 0
