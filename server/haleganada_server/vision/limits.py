"""How much a drawing may ask of the server; checked before anything is decoded or drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """max_bytes: of the encoded image. max_pixels: width x height, from the header. max_strokes, max_points: of ink."""

    max_bytes: int = 8 * 2**20
    max_pixels: int = 16_000_000
    max_strokes: int = 1_000
    max_points: int = 100_000


DEFAULT_LIMITS = ImageLimits()
