"""A device that lacks memory, or fails: every drawing is embedded, in its place, and the device is tried again."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from haleganada_server.runtime.fitting import DeviceFailed, FittingRunner, Ink, OutOfDeviceMemory, Vectors
from hypothesis import given
from hypothesis import strategies as st

MOST = 16


@dataclass
class Device:
    """Has memory for `fits` drawings at once. Embeds a drawing as itself."""

    fits: int
    fails: bool = False
    tried: list[int] = field(default_factory=list)

    def run(self, ink: Ink) -> Vectors:
        self.tried.append(len(ink))
        if self.fails:
            raise DeviceFailed from RuntimeError("CUDA error: an illegal memory access was encountered")
        if len(ink) > self.fits:
            raise OutOfDeviceMemory
        return ink.reshape(len(ink), -1)


@dataclass
class World:
    """A device, the CPU beside it, and a clock."""

    device: Device
    on_cpu: int = 0
    now: float = 0.0

    def __post_init__(self) -> None:
        self.runner = FittingRunner("cuda:0", self.device.run, self._run_on_cpu, MOST, lambda: self.now)

    def _run_on_cpu(self, ink: Ink) -> Vectors:
        self.on_cpu += len(ink)
        return ink.reshape(len(ink), -1)

    def embed(self, count: int) -> None:
        """Embed different drawings; each must come back in its place."""
        ink = np.arange(4 * count, dtype=np.float32).reshape(count, 1, 2, 2)
        assert np.array_equal(self.runner.run(ink), ink.reshape(count, 4))


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 20), st.booleans(), st.floats(0, 100)), max_size=20))
def test_no_drawing_is_lost_whatever_the_device_does(steps: list[tuple[int, int, bool, float]]) -> None:
    world = World(Device(20))
    for count, fits, fails, pause in steps:
        world.device.fits, world.device.fails = fits, fails
        world.now += pause
        world.embed(count)


def test_all_is_well() -> None:
    world = World(Device(MOST))
    world.embed(40)
    assert world.device.tried == [16, 16, 8] and not world.on_cpu and not world.runner.note


def test_what_does_not_fit_is_tried_in_halves_and_those_that_follow_at_once() -> None:
    world = World(Device(5))
    world.embed(12)
    assert world.device.tried == [12, 6, 3, 3, 3, 3] and not world.on_cpu
    assert "at most 3 drawings at once" in world.runner.note and "--device-memory" in world.runner.note
    world.embed(4)
    assert world.device.tried[6:] == [3, 1]


def test_after_a_minute_large_batches_are_tried_again() -> None:
    world = World(Device(5))
    world.embed(12)
    world.device.fits, world.now = MOST, 61
    world.embed(12)
    assert world.device.tried[-1] == 12 and not world.runner.note


def test_what_does_not_fit_alone_is_left_to_the_cpu_for_a_minute() -> None:
    world = World(Device(0))
    world.embed(3)
    assert world.device.tried == [3, 1] and world.on_cpu == 3
    assert "no memory left" in world.runner.note and "the CPU embeds" in world.runner.note
    world.embed(3)
    assert world.device.tried == [3, 1] and world.on_cpu == 6
    world.device.fits, world.now = MOST, 61
    world.embed(3)
    assert world.device.tried == [3, 1, 3] and not world.runner.note


def test_a_failure_is_told_and_left_to_the_cpu() -> None:
    world = World(Device(MOST, fails=True))
    world.embed(20)
    assert world.device.tried == [16] and world.on_cpu == 20
    assert "illegal memory access" in world.runner.note
