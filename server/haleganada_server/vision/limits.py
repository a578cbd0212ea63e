"""Limits of a drawing; they are checked before anything is decoded or drawn."""

from __future__ import annotations

from dataclasses import dataclass

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import (
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    MAX_IMAGE_SIDE,
    MAX_PHOTO_PIXELS,
    MAX_POINTS,
    MAX_STROKES,
)

from .images.header import FIELD, Header


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """max_bytes: of the encoded image. max_pixels: width x height, from the header. max_side: of the longer side.
    max_strokes, max_points: of ink. max_photo_pixels: of a picture that is decoded at a reduced scale.
    """

    max_bytes: int = MAX_IMAGE_BYTES
    max_pixels: int = MAX_IMAGE_PIXELS
    max_side: int = MAX_IMAGE_SIDE
    max_strokes: int = MAX_STROKES
    max_points: int = MAX_POINTS
    max_photo_pixels: int = MAX_PHOTO_PIXELS

    def check_header(self, header: Header) -> None:
        """Raise InvalidInput for a picture with too many pixels to decode, or too long a side."""
        if header.is_reducible and header.width * header.height <= self.max_photo_pixels:
            self.check_side(header.width, header.height)
        else:
            self.check_size(header.width, header.height)

    def check_size(self, width: int, height: int) -> None:
        """Raise InvalidInput for a picture with too many pixels, or too long a side."""
        if width * height > self.max_pixels:
            raise InvalidInput(
                FIELD,
                f"has {width} x {height} pixels; at most {self.max_pixels:,} are allowed in all, or "
                f"{self.max_photo_pixels:,} in a JPEG that is not progressive, so send it smaller",
            )
        self.check_side(width, height)

    def check_side(self, width: int, height: int) -> None:
        """Raise InvalidInput for a picture with too long a side."""
        if max(width, height) > self.max_side:
            size = f"{width} x {height} pixels"
            raise InvalidInput(
                FIELD, f"has {size}; at most {self.max_side:,} are allowed on a side, so send it smaller"
            )


DEFAULT_LIMITS = ImageLimits()
