"""Micro-batches: bounded in drawings and in pixels, and a large picture is alone."""

from __future__ import annotations

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.batches import MAX_DRAWINGS, MAX_PIXELS, split_into_micro_batches
from haleganada_server.core.glyphs.ports import LARGE_PICTURE
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.outcomes import Outcome
from hypothesis import given
from hypothesis import strategies as st


def pictures(*pixels: int) -> list[Outcome[Glyph]]:
    """Return stand-ins for pictures: their bytes are their number of pixels; negative: an error."""
    return [Glyph(image=str(count).encode()) if count >= 0 else InvalidInput("glyph", "is bad") for count in pixels]


def count_pixels(glyph: Glyph) -> int:
    return int(glyph.image or b"0")


@given(st.lists(st.integers(-1, 2 * LARGE_PICTURE) | st.integers(-1, 1000), max_size=60))
def test_nothing_is_lost_and_every_micro_batch_is_within_its_limits(pixels: list[int]) -> None:
    glyphs = pictures(*pixels)
    batches = split_into_micro_batches(glyphs, count_pixels)
    assert [glyph for batch in batches for glyph in batch.glyphs] == glyphs
    for batch in batches:
        total = sum(count_pixels(glyph) for glyph in batch.glyphs if isinstance(glyph, Glyph))
        assert len(batch.glyphs) <= MAX_DRAWINGS
        assert batch.is_large == (total > MAX_PIXELS)
        assert not batch.is_large or count_pixels(batch.glyphs[0]) > LARGE_PICTURE  # type: ignore[arg-type]


def test_drawings_of_the_usual_size_are_sixteen_to_a_micro_batch() -> None:
    batches = split_into_micro_batches(pictures(*[128 * 128] * 40), count_pixels)
    assert [len(batch.glyphs) for batch in batches] == [16, 16, 8]


def test_an_empty_batch_is_one_micro_batch() -> None:
    assert split_into_micro_batches([], count_pixels) == [([], False)]
