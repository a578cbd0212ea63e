"""Which drawings are encoded together, in which order, and what the failure of one does to the others."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.errors import Cancelled, InvalidInput
from haleganada_server.core.glyphs.combining import CombiningEncoder
from haleganada_server.core.glyphs.ports import EncodedGlyph, Raster
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.outcomes import Outcome
from haleganada_server.vision import PillowRasterizer
from numpy.typing import NDArray

from tests.support.waiting import wait_until
from tests.unit.server.core.workspaces.small_world import CoarseEmbedder, drawing

BROKEN = Glyph(image=b"no picture")
Encoded = list[Outcome[EncodedGlyph]]


@dataclass(frozen=True)
class CountingRasterizer(PillowRasterizer):
    """Keeps the drawings that it has begun."""

    begun: list[Glyph] = field(default_factory=list)

    def rasterize(self, glyph: Glyph, cancellation: Cancellation = NEVER) -> Raster:
        self.begun.append(glyph)
        return super().rasterize(glyph, cancellation)


class GatedEmbedder:
    """A CoarseEmbedder that records the sizes of its batches, waits before each, and can fail."""

    hash, device = CoarseEmbedder().hash, "test"

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.gate = threading.Semaphore(0)
        self.failure: Exception | None = None

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.sizes.append(len(rasters))
        assert self.gate.acquire(timeout=60)
        if self.failure is not None:
            raise self.failure
        return CoarseEmbedder().embed(rasters)


class World:
    """An encoder, and calls that begin in order."""

    def __init__(self, pool: ThreadPoolExecutor, cores: int = 1) -> None:
        self._pool = pool
        self.rasterizer, self.embedder = CountingRasterizer(), GatedEmbedder()
        self.encoder = CombiningEncoder(self.rasterizer, self.embedder, most=8, cores=cores)

    def lead(self) -> list[Future[Encoded]]:
        """Begin a call that is embedded, until the gate is opened, and one that leads until it can be, too."""
        return [self.begin(1), self.begin(2)]

    def begin(self, rasterized: int) -> Future[Encoded]:
        """Begin a call. rasterized: how many drawings are when it can go on no further."""
        call = self._pool.submit(self.encoder.encode, [drawing(0, 0)], 1)
        wait_until(lambda: len(self.rasterizer.begun) == rasterized)
        return call

    def wait(self, *glyphs: Glyph, is_active: bool = True) -> Future[Encoded]:
        """Begin a call that waits for others. is_active: whether its caller is there still, when it is looked for."""
        before = len(self.encoder._waiting)
        cancellation = Cancellation(lambda: is_active, lambda: math.inf)
        call = self._pool.submit(self.encoder.encode, glyphs, len(glyphs), cancellation)
        wait_until(lambda: len(self.encoder._waiting) == before + 1)
        return call

    def open(self, batches: int = 100) -> None:
        self.embedder.gate.release(batches)


@pytest.fixture
def world() -> Iterator[World]:
    with ThreadPoolExecutor(32) as pool:
        made = World(pool)
        yield made
        made.open()


def embedding(outcome: Outcome[EncodedGlyph]) -> bytes:
    assert isinstance(outcome, EncodedGlyph)
    return outcome.embedding.tobytes()


def alone(glyph: Glyph) -> bytes:
    (outcome,) = CombiningEncoder(PillowRasterizer(), CoarseEmbedder()).encode([glyph], 1)
    return embedding(outcome)


def test_a_lone_call_is_encoded_at_once(world: World) -> None:
    world.open()
    for hand in range(3):
        world.encoder.encode([drawing(1, hand)], 1)
    assert world.embedder.sizes == [1, 1, 1]


def test_who_waits_is_encoded_together_in_order(world: World) -> None:
    first = world.lead()
    calls = [world.wait(drawing(character, 0)) for character in range(10)]
    world.open(3)
    assert [embedding(call.result(60)[0]) for call in calls[:8]] == [alone(drawing(i, 0)) for i in range(8)]
    assert all(call.done() for call in first) and not any(call.done() for call in calls[8:])
    world.open()
    assert [embedding(call.result(60)[0]) for call in calls[8:]] == [alone(drawing(i, 0)) for i in (8, 9)]
    assert world.embedder.sizes == [1, 1, 8, 2]


def test_a_core_embeds_one_batch_at_a_time_while_the_next_is_rasterized() -> None:
    with ThreadPoolExecutor(8) as pool:
        world = World(pool, cores=3)  # of which single drawings leave one
        calls = [world.begin(rasterized) for rasterized in (1, 2, 3)]
        wait_until(lambda: len(world.embedder.sizes) == 2)
        calls.append(world.wait(drawing(1, 0)))
        assert world.embedder.sizes == [1, 1] and len(world.rasterizer.begun) == 3
        world.open()
        assert all(len(call.result(60)) == 1 for call in calls)


def test_a_batch_that_does_not_fit_is_encoded_next(world: World) -> None:
    world.lead()
    sizes = (3, 6, 1, 1, 12, 1)
    calls = [world.wait(*(drawing(i, hand) for hand in range(size))) for i, size in enumerate(sizes)]
    world.open()
    assert [len(call.result(60)) for call in calls] == list(sizes)
    assert sorted(world.embedder.sizes) == [1, 1, 1, 3, 8, 12]


def test_a_drawing_that_cannot_be_used_fails_alone(world: World) -> None:
    world.lead()
    good, bad, mixed = world.wait(drawing(1, 0)), world.wait(BROKEN), world.wait(BROKEN, drawing(2, 0))
    world.open()
    assert embedding(good.result(60)[0]) == alone(drawing(1, 0))
    assert isinstance(bad.result(60)[0], InvalidInput)
    refused, used = mixed.result(60)
    assert isinstance(refused, InvalidInput) and embedding(used) == alone(drawing(2, 0))
    assert world.embedder.sizes == [1, 1, 2]


def test_who_is_gone_is_not_encoded(world: World) -> None:
    world.lead()
    calls = [world.wait(drawing(i, 0), is_active=i % 2 == 0) for i in range(5)]
    world.open()
    for i, call in enumerate(calls):
        if i % 2:
            with pytest.raises(Cancelled):
                call.result(60)
        else:
            assert embedding(call.result(60)[0]) == alone(drawing(i, 0))
    assert world.embedder.sizes == [1, 1, 3]


def test_a_leader_that_is_gone_encodes_for_the_others(world: World) -> None:
    world.lead()
    gone, others = world.wait(drawing(0, 0), is_active=False), [world.wait(drawing(i, 0)) for i in range(3)]
    world.open()
    with pytest.raises(Cancelled):
        gone.result(60)
    assert [embedding(call.result(60)[0]) for call in others] == [alone(drawing(i, 0)) for i in range(3)]


def test_a_network_that_fails_fails_all_of_its_batch_and_nobody_else(world: World) -> None:
    first = world.lead()
    calls = [world.wait(drawing(i, 0)) for i in range(9)]
    world.embedder.failure = MemoryError()
    world.open(3)
    for call in [*first, *calls[:8]]:
        with pytest.raises(MemoryError):
            call.result(60)
    world.embedder.failure = None
    world.open()
    assert embedding(calls[8].result(60)[0]) == alone(drawing(8, 0))
    assert len(world.encoder.encode([drawing(1, 0)], 1)) == 1
