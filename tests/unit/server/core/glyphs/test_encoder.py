"""Who reads a drawing: the server itself when a call is alone, others when calls meet or many drawings come."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.glyphs.encoder import Drawing, DrawingReader
from haleganada_server.core.glyphs.micro_batch import PieceHere
from haleganada_server.core.glyphs.ports import Seen
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import PillowInkReader
from numpy.typing import NDArray

from tests.unit.server.core.workspaces.small_world import CoarseEmbedder, drawing

BROKEN = Glyph(image=b"no picture")


@dataclass
class Elsewhere:
    """Reads as the server does, and remembers how many drawings each piece had. there: whether anybody is."""

    there: bool = True
    pieces: list[int] = field(default_factory=list)

    def see(self, glyphs: Sequence[Glyph]) -> list[Seen | HaleganadaError] | None:
        self.pieces.append(len(glyphs))
        return PieceHere(PillowInkReader(), CoarseEmbedder()).see(glyphs) if self.there else None


class SlowEmbedder:
    """A CoarseEmbedder that tells when it has begun, and waits until it may go on."""

    hash, device = CoarseEmbedder().hash, "test"

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.begun.set()
        assert self.go_on.wait(10)
        return CoarseEmbedder().embed(rasters)


def reader_with(elsewhere: Elsewhere) -> DrawingReader:
    return DrawingReader(PillowInkReader(), CoarseEmbedder(), elsewhere)


def embeddings(read: Sequence[Drawing | HaleganadaError]) -> list[bytes | str]:
    return [one.embedding.tobytes() if isinstance(one, Drawing) else str(one) for one in read]


def test_a_call_that_is_alone_is_read_here() -> None:
    elsewhere = Elsewhere()
    reader = reader_with(elsewhere)
    for hand in range(3):
        reader.read_many([drawing(1, hand)])
    reader.read_many([drawing(1, hand) for hand in range(16)])
    assert elsewhere.pieces == []


@pytest.mark.parametrize("there", [True, False])
def test_a_call_that_meets_another_is_read_elsewhere_if_anybody_is_there(there: bool) -> None:
    elsewhere, embedder = Elsewhere(there), SlowEmbedder()
    reader = DrawingReader(PillowInkReader(), embedder, elsewhere)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reader.read_many, [drawing(1, 0)])
        assert embedder.begun.wait(10)
        second = pool.submit(reader.read_many, [drawing(2, 0)])
        if there:
            second.result(10)  # the first one is still being read
        embedder.go_on.set()
        found = embeddings(first.result(10) + second.result(10))
    assert elsewhere.pieces == [1]
    assert found == embeddings(reader.read_many([drawing(1, 0), drawing(2, 0)]))
    assert elsewhere.pieces == [1]  # that call was alone again


@pytest.mark.parametrize("there", [True, False])
def test_the_pieces_of_a_batch_are_read_elsewhere_and_stay_in_order(there: bool) -> None:
    elsewhere, refused = Elsewhere(there), InvalidInput("label", "is empty")
    glyphs = [drawing(character % 5, character) for character in range(40)]
    batch: list[Glyph | HaleganadaError] = [*glyphs[:7], BROKEN, refused, *glyphs[7:]]
    read = reader_with(elsewhere).read_many(batch)
    assert sorted(elsewhere.pieces) == [10, 15, 16]  # the refused one is not sent
    alone = reader_with(Elsewhere())
    expected = embeddings([alone.read_many([glyph])[0] for glyph in batch])
    assert embeddings(read) == expected
    assert read[8] is refused and isinstance(read[7], InvalidInput)


def test_what_is_kept_is_the_drawing_that_came() -> None:
    picture = PillowInkReader().picture(PillowInkReader().normalize(drawing(3, 0)))
    batch = [drawing(3, 0), Glyph(image=picture)] * 20
    here = stored(DrawingReader(PillowInkReader(), CoarseEmbedder()), batch)
    assert stored(reader_with(Elsewhere()), batch) == here
    assert [kind for kind, _ in here[:2]] == ["ink", "png"]


def stored(reader: DrawingReader, glyphs: Sequence[Glyph]) -> list[tuple[str, bytes]]:
    return [reader.stored(drawn) for drawn in reader.read_many(glyphs) if isinstance(drawn, Drawing)]
