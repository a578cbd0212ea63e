"""Splitting a batch of drawings into micro-batches: as many as one turn should take, since others wait for theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.outcomes import Outcome

from .types import Glyph

MAX_WEIGHT = 8
"""Of a micro-batch, in drawings of the usual size: about 9 ms. A drawing that weighs more is alone in one."""
DRAWING_PIXELS, DRAWING_POINTS = 2**16, 2**8
"""Of a drawing that weighs 1, as a picture or as strokes: decoding or drawing them takes a millisecond or two."""


class MicroBatch(NamedTuple):
    """Consecutive drawings of a batch, at least one unless the batch is empty, and what they weigh together."""

    glyphs: Sequence[Outcome[Glyph]]
    weight: int

    @property
    def is_large(self) -> bool:
        """Whether it is a drawing that takes longer than a turn should."""
        return self.weight > MAX_WEIGHT


def split_into_micro_batches(
    glyphs: Sequence[Outcome[Glyph]], count_pixels: Callable[[Glyph], int]
) -> list[MicroBatch]:
    """Return the micro-batches, in order; one for an empty batch."""
    batches: list[MicroBatch] = []
    start = weight = 0
    for i, glyph in enumerate(glyphs):
        own = 1 if isinstance(glyph, HaleganadaError) else _weigh(glyph, count_pixels)
        if i > start and weight + own > MAX_WEIGHT:
            batches.append(MicroBatch(glyphs[start:i], weight))
            start, weight = i, 0
        weight += own
    return [*batches, MicroBatch(glyphs[start:], weight)]


def _weigh(glyph: Glyph, count_pixels: Callable[[Glyph], int]) -> int:
    points = glyph.ink.points if glyph.ink is not None else 0
    return max(1, count_pixels(glyph) // DRAWING_PIXELS, points // DRAWING_POINTS)
