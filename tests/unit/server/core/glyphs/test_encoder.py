"""Encoding a batch: in order, and each drawing as alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count

import numpy as np
import pytest
from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.errors import Cancelled, InvalidInput
from haleganada_server.core.glyphs.encoder import Drawing, GlyphEncoder
from haleganada_server.core.glyphs.ink_codec import decode_ink
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.outcomes import Outcome
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.core.workspaces.small_world import CoarseEmbedder, drawing

BROKEN = Glyph(image=b"no picture")


def make_encoder() -> GlyphEncoder:
    return GlyphEncoder(PillowRasterizer(), CoarseEmbedder())


def draw_thousands_of_points() -> Glyph:
    points = tuple(np.linspace(20, 260, 3000).tolist())
    return Glyph(ink=Ink((Stroke(points, points),), 280, 280))


def embeddings(drawings: Sequence[Outcome[Drawing]]) -> list[bytes | str]:
    return [one.embedding.tobytes() if isinstance(one, Drawing) else str(one) for one in drawings]


def test_the_micro_batches_of_a_batch_stay_in_order() -> None:
    encoder, refused = make_encoder(), InvalidInput("label", "is empty")
    glyphs = [drawing(character % 5, character) for character in range(40)]
    batch: list[Outcome[Glyph]] = [*glyphs[:7], BROKEN, refused, *glyphs[7:]]
    found = encoder.encode_many(batch)
    assert embeddings(found) == embeddings([encoder.encode_many([glyph])[0] for glyph in batch])
    assert found[8] is refused and isinstance(found[7], InvalidInput)


def test_a_large_drawing_keeps_its_place_in_a_batch() -> None:
    batch = [drawing(character % 5, character) for character in range(30)]
    batch.insert(20, draw_thousands_of_points())
    encoder = make_encoder()
    assert embeddings(encoder.encode_many(batch)) == [embeddings(encoder.encode_many([one]))[0] for one in batch]


def test_a_batch_that_is_given_up_stops() -> None:
    asked = count()
    cancellation = Cancellation(lambda: next(asked) < 20, lambda: math.inf)
    encoder = make_encoder()
    with pytest.raises(Cancelled):
        encoder.encode_many([drawing(0, 0)] * 100, cancellation)
    assert next(asked) < 30  # nothing goes on behind
    assert len(encoder.encode_many([drawing(0, 0)] * 20)) == 20


def test_the_stored_form_is_that_of_the_drawing() -> None:
    picture = PillowRasterizer().to_picture(PillowRasterizer().rasterize(drawing(3, 0)))
    batch = [drawing(3, 0), Glyph(image=picture)] * 20
    kept = encode_stored(make_encoder(), batch)
    assert [kind for kind, _ in kept[:2]] == ["ink", "png"]
    assert kept == [form for one in batch for form in encode_stored(make_encoder(), [one])]


def test_thousands_of_points_are_kept_in_their_stored_form() -> None:
    glyph, encoder = draw_thousands_of_points(), make_encoder()
    (kept,) = encoder.encode_many([glyph])
    assert isinstance(kept, Drawing) and isinstance(kept.source, tuple)
    kind, data = encoder.to_stored(kept)
    assert kind == "ink" and decode_ink(data) == glyph.ink


def encode_stored(encoder: GlyphEncoder, glyphs: Sequence[Glyph]) -> list[tuple[str, bytes]]:
    return [encoder.to_stored(drawn) for drawn in encoder.encode_many(glyphs) if isinstance(drawn, Drawing)]
