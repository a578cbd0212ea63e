"""Limits of a drawing; they are checked before anything is decoded or drawn."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_POINTS, MAX_STROKES


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """max_bytes: of the encoded image. max_pixels: width x height, from the header. max_strokes, max_points: of ink."""

    max_bytes: int = MAX_IMAGE_BYTES
    max_pixels: int = MAX_IMAGE_PIXELS
    max_strokes: int = MAX_STROKES
    max_points: int = MAX_POINTS


DEFAULT_LIMITS = ImageLimits()
