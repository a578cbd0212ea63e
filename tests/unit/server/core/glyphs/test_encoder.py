"""Encoding a batch: in order, and each drawing as alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.encoder import Drawing, GlyphEncoder
from haleganada_server.core.glyphs.ink_codec import decode_ink
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.outcomes import Outcome
from haleganada_server.vision import PillowRasterizer

from tests.unit.server.core.workspaces.small_world import CoarseEmbedder, drawing

BROKEN = Glyph(image=b"no picture")


def make_encoder() -> GlyphEncoder:
    return GlyphEncoder(PillowRasterizer(), CoarseEmbedder())


def embeddings(drawings: Sequence[Outcome[Drawing]]) -> list[bytes | str]:
    return [one.embedding.tobytes() if isinstance(one, Drawing) else str(one) for one in drawings]


def test_the_micro_batches_of_a_batch_stay_in_order() -> None:
    encoder, refused = make_encoder(), InvalidInput("label", "is empty")
    glyphs = [drawing(character % 5, character) for character in range(40)]
    batch: list[Outcome[Glyph]] = [*glyphs[:7], BROKEN, refused, *glyphs[7:]]
    found = encoder.encode_many(batch)
    assert embeddings(found) == embeddings([encoder.encode_many([glyph])[0] for glyph in batch])
    assert found[8] is refused and isinstance(found[7], InvalidInput)


def test_the_stored_form_is_that_of_the_drawing() -> None:
    picture = PillowRasterizer().to_picture(PillowRasterizer().rasterize(drawing(3, 0)))
    batch = [drawing(3, 0), Glyph(image=picture)] * 20
    kept = stored(make_encoder(), batch)
    assert [kind for kind, _ in kept[:2]] == ["ink", "png"]
    assert kept == [form for one in batch for form in stored(make_encoder(), [one])]


def test_thousands_of_points_are_kept_in_their_stored_form() -> None:
    points = tuple(np.linspace(20, 260, 3000).tolist())
    glyph = Glyph(ink=Ink((Stroke(points, points),), 280, 280))
    encoder = make_encoder()
    (kept,) = encoder.encode_many([glyph])
    assert isinstance(kept, Drawing) and isinstance(kept.source, tuple)
    kind, data = encoder.to_stored(kept)
    assert kind == "ink" and decode_ink(data) == glyph.ink


def stored(encoder: GlyphEncoder, glyphs: Sequence[Glyph]) -> list[tuple[str, bytes]]:
    return [encoder.to_stored(drawn) for drawn in encoder.encode_many(glyphs) if isinstance(drawn, Drawing)]
