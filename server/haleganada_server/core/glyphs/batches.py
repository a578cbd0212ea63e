"""Splitting a batch of drawings into micro-batches: as many drawings, or as many pixels, as one step should take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.outcomes import Outcome

from .ports import LARGE_PICTURE
from .types import Glyph

MAX_DRAWINGS = 16
MAX_PIXELS = LARGE_PICTURE
"""Of a micro-batch: about 25 ms of decoding. A large picture is a micro-batch of its own."""


class MicroBatch(NamedTuple):
    """Consecutive drawings of a batch, at least one unless the batch is empty."""

    glyphs: Sequence[Outcome[Glyph]]
    is_large: bool


def split_into_micro_batches(
    glyphs: Sequence[Outcome[Glyph]], count_pixels: Callable[[Glyph], int]
) -> list[MicroBatch]:
    """Return the micro-batches, in order; one for an empty batch."""
    batches: list[MicroBatch] = []
    start = pixels = 0
    for i, glyph in enumerate(glyphs):
        own = 0 if isinstance(glyph, HaleganadaError) else count_pixels(glyph)
        if i > start and (i - start == MAX_DRAWINGS or pixels + own > MAX_PIXELS):
            batches.append(MicroBatch(glyphs[start:i], pixels > MAX_PIXELS))
            start, pixels = i, 0
        pixels += own
    return [*batches, MicroBatch(glyphs[start:], pixels > MAX_PIXELS)]
