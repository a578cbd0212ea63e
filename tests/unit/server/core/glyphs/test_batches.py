"""Micro-batches: bounded in weight, and a large picture is alone."""

from __future__ import annotations

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.batches import DRAWING_PIXELS, DRAWING_POINTS, MAX_WEIGHT, split_into_micro_batches
from haleganada_server.core.glyphs.ports import LARGE_PICTURE
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
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
        assert len(batch.glyphs) <= batch.weight and total <= DRAWING_PIXELS * (batch.weight + len(batch.glyphs))
        assert batch.is_large == (batch.weight > MAX_WEIGHT)
        assert not batch.is_large or len(batch.glyphs) == 1


def test_drawings_of_the_usual_size_are_eight_to_a_micro_batch() -> None:
    batches = split_into_micro_batches(pictures(*[280 * 280] * 20), count_pixels)
    assert [len(batch.glyphs) for batch in batches] == [8, 8, 4]


def test_strokes_of_thousands_of_points_are_alone() -> None:
    """Others would wait for them: drawing 100,000 points takes most of a second."""
    points = tuple(float(i % 280) for i in range(9 * DRAWING_POINTS))
    small, large = (Glyph(ink=Ink((Stroke(line, line),), 280, 280)) for line in (points[:300], points))
    batches = split_into_micro_batches([small, small, large, small], lambda _: 0)
    assert [(len(batch.glyphs), batch.is_large) for batch in batches] == [(2, False), (1, True), (1, False)]


def test_an_empty_batch_is_one_micro_batch() -> None:
    assert split_into_micro_batches([], count_pixels) == [([], 0)]
