"""Where drawings are encoded: a lone call by the server itself, concurrent calls and large batches by workers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.encoder import Drawing, GlyphEncoder
from haleganada_server.core.glyphs.ink_codec import decode_ink
from haleganada_server.core.glyphs.micro_batch import LocalBatchEncoder
from haleganada_server.core.glyphs.ports import EncodedGlyph
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.outcomes import Outcome
from haleganada_server.vision import PillowRasterizer
from numpy.typing import NDArray

from tests.unit.server.core.workspaces.small_world import CoarseEmbedder, drawing

BROKEN = Glyph(image=b"no picture")


@dataclass
class FakeWorkers:
    """Encodes as the server does, and records the sizes of the micro-batches. available: whether a worker is ready."""

    available: bool = True
    micro_batches: list[int] = field(default_factory=list)

    def encode(self, glyphs: Sequence[Glyph]) -> list[Outcome[EncodedGlyph]] | None:
        self.micro_batches.append(len(glyphs))
        return LocalBatchEncoder(PillowRasterizer(), CoarseEmbedder()).encode(glyphs) if self.available else None


class SlowEmbedder:
    """A CoarseEmbedder that signals when it starts, and waits until it may continue."""

    hash, device = CoarseEmbedder().hash, "test"

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.begun.set()
        assert self.go_on.wait(10)
        return CoarseEmbedder().embed(rasters)


def encoder_with(workers: FakeWorkers) -> GlyphEncoder:
    return GlyphEncoder(PillowRasterizer(), CoarseEmbedder(), workers)


def embeddings(drawings: Sequence[Outcome[Drawing]]) -> list[bytes | str]:
    return [one.embedding.tobytes() if isinstance(one, Drawing) else str(one) for one in drawings]


def test_the_server_encodes_a_lone_call() -> None:
    workers = FakeWorkers()
    encoder = encoder_with(workers)
    for hand in range(3):
        encoder.encode_many([drawing(1, hand)])
    encoder.encode_many([drawing(1, hand) for hand in range(16)])
    assert workers.micro_batches == []


@pytest.mark.parametrize("available", [True, False])
def test_a_concurrent_call_is_encoded_by_a_worker_if_one_is_available(available: bool) -> None:
    workers, embedder = FakeWorkers(available), SlowEmbedder()
    encoder = GlyphEncoder(PillowRasterizer(), embedder, workers)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(encoder.encode_many, [drawing(1, 0)])
        assert embedder.begun.wait(10)
        second = pool.submit(encoder.encode_many, [drawing(2, 0)])
        if available:
            second.result(10)  # the first is still in progress
        embedder.go_on.set()
        found = embeddings(first.result(10) + second.result(10))
    assert workers.micro_batches == [1]
    assert found == embeddings(encoder.encode_many([drawing(1, 0), drawing(2, 0)]))
    assert workers.micro_batches == [1]  # that call was alone again


@pytest.mark.parametrize("available", [True, False])
def test_the_micro_batches_of_a_batch_are_encoded_by_workers_and_stay_in_order(available: bool) -> None:
    workers, refused = FakeWorkers(available), InvalidInput("label", "is empty")
    glyphs = [drawing(character % 5, character) for character in range(40)]
    batch: list[Outcome[Glyph]] = [*glyphs[:7], BROKEN, refused, *glyphs[7:]]
    read = encoder_with(workers).encode_many(batch)
    assert sorted(workers.micro_batches) == [10, 15, 16]  # the refused one is not sent
    alone = encoder_with(FakeWorkers())
    expected = embeddings([alone.encode_many([glyph])[0] for glyph in batch])
    assert embeddings(read) == expected
    assert read[8] is refused and isinstance(read[7], InvalidInput)


def test_the_stored_form_is_that_of_the_drawing() -> None:
    picture = PillowRasterizer().to_picture(PillowRasterizer().rasterize(drawing(3, 0)))
    batch = [drawing(3, 0), Glyph(image=picture)] * 20
    here = stored(GlyphEncoder(PillowRasterizer(), CoarseEmbedder()), batch)
    assert stored(encoder_with(FakeWorkers()), batch) == here
    assert [kind for kind, _ in here[:2]] == ["ink", "png"]


def test_thousands_of_points_are_kept_in_their_stored_form() -> None:
    points = tuple(np.linspace(20, 260, 3000).tolist())
    glyph = Glyph(ink=Ink((Stroke(points, points),), 280, 280))
    encoder = GlyphEncoder(PillowRasterizer(), CoarseEmbedder())
    (kept,) = encoder.encode_many([glyph])
    assert isinstance(kept, Drawing) and isinstance(kept.source, tuple)
    kind, data = encoder.to_stored(kept)
    assert kind == "ink" and decode_ink(data) == glyph.ink


def stored(encoder: GlyphEncoder, glyphs: Sequence[Glyph]) -> list[tuple[str, bytes]]:
    return [encoder.to_stored(drawn) for drawn in encoder.encode_many(glyphs) if isinstance(drawn, Drawing)]
