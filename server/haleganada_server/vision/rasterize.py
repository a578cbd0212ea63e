"""The one way from a drawing, picture or strokes, to its ink raster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.types import Glyph

from .decode import decode_gray
from .frame import frame
from .limits import DEFAULT_LIMITS, ImageLimits
from .paper import find_ink
from .png import Raster, raster_from_png, raster_to_picture, raster_to_png
from .strokes import render


def rasterize(glyph: Glyph, limits: ImageLimits = DEFAULT_LIMITS) -> Raster:
    """A drawing -> (128, 128) uint8 ink raster, 255 = ink on 0; the ink box's longest side is 80 %, centered.

    Raises InvalidInput, naming the field and what to do, for anything that is not one visible drawing.
    """
    if glyph.ink is not None:
        return render(glyph.ink, limits)
    if glyph.image is None:
        raise InvalidInput("glyph", "is missing; send an image or ink")
    return rasterize_gray(decode_gray(glyph.image, limits))


def rasterize_gray(gray: NDArray[np.uint8]) -> Raster:
    """(height, width) gray values of one drawing -> its ink raster, as rasterize returns it for an image of these
    pixels. Raises InvalidInput.
    """
    return frame(find_ink(gray))


@dataclass(frozen=True, slots=True)
class PillowRasterizer:
    """core.glyphs.ports.Rasterizer, by Pillow and numpy."""

    limits: ImageLimits = DEFAULT_LIMITS

    def rasterize(self, glyph: Glyph) -> Raster:
        return rasterize(glyph, self.limits)

    def to_png(self, raster: Raster) -> bytes:
        return raster_to_png(raster)

    def from_png(self, png: bytes) -> Raster:
        return raster_from_png(png)

    def to_picture(self, raster: Raster) -> bytes:
        return raster_to_picture(raster)
