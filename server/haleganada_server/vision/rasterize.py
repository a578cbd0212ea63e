"""The one way from a drawing, picture or strokes, to its ink raster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.ports import LARGE_PICTURE
from haleganada_server.core.glyphs.types import Glyph

from .frame import frame
from .images.decode import decode_gray
from .images.header import count_pixels, read_header
from .images.turns import LARGE_PICTURE_TURNS
from .ink.paper import find_ink
from .inputs import dataset_raster
from .limits import DEFAULT_LIMITS, ImageLimits
from .png import Raster, raster_from_png, raster_to_picture, raster_to_png
from .strokes import render


def rasterize(glyph: Glyph, limits: ImageLimits = DEFAULT_LIMITS, cancellation: Cancellation = NEVER) -> Raster:
    """A drawing -> (128, 128) uint8 ink raster, 255 = ink on 0; the ink box's longest side is 80 %, centered.

    Large pictures are decoded one at a time in the whole process. Raises InvalidInput, naming the field and what to do,
    for anything that is not one visible drawing; Cancelled or DeadlineExceeded if the caller gives up meanwhile.
    """
    if glyph.ink is not None:
        return render(glyph.ink, limits)
    if glyph.image is None:
        raise InvalidInput("glyph", "is missing; send an image or ink")
    image = glyph.image
    if count_pixels_to_decode(glyph, limits) > LARGE_PICTURE:
        return LARGE_PICTURE_TURNS.take(lambda: frame(find_ink(decode_gray(image, limits))), cancellation)
    return frame(find_ink(decode_gray(image, limits)))


def rasterize_gray(gray: NDArray[np.uint8], cancellation: Cancellation = NEVER) -> Raster:
    """(height, width) gray values of one drawing -> its ink raster, as rasterize returns it for an image of these
    pixels. Raises what rasterize raises.
    """
    DEFAULT_LIMITS.check_size(gray.shape[1], gray.shape[0])
    if gray.size > LARGE_PICTURE:
        return LARGE_PICTURE_TURNS.take(lambda: frame(find_ink(gray)), cancellation)
    return frame(find_ink(gray))


def decode_for_dataset(picture: bytes | NDArray[np.uint8], cancellation: Cancellation = NEVER) -> tuple[Raster, int]:
    """The bytes of an image file, or (h, w) gray values -> (64, 64) ink as data sets store it, and the number of pixels
    of the picture. Raises what rasterize raises.
    """
    if isinstance(picture, np.ndarray):
        return dataset_raster(rasterize_gray(picture, cancellation)), picture.size
    raster = rasterize(Glyph(image=picture), cancellation=cancellation)
    return dataset_raster(raster), count_pixels(picture)


def count_pixels_to_decode(glyph: Glyph, limits: ImageLimits = DEFAULT_LIMITS) -> int:
    """Return how many pixels rasterize has to decode; 0 for strokes, and for what it refuses by the header."""
    if glyph.image is None:
        return 0
    try:
        header = read_header(glyph.image)
        limits.check_header(header)
    except InvalidInput:
        return 0
    return header.width * header.height


@dataclass(frozen=True, slots=True)
class PillowRasterizer:
    """core.glyphs.ports.Rasterizer, by Pillow and numpy."""

    limits: ImageLimits = DEFAULT_LIMITS

    def count_pixels(self, glyph: Glyph) -> int:
        return count_pixels_to_decode(glyph, self.limits)

    def rasterize(self, glyph: Glyph, cancellation: Cancellation = NEVER) -> Raster:
        return rasterize(glyph, self.limits, cancellation)

    def to_png(self, raster: Raster) -> bytes:
        return raster_to_png(raster)

    def from_png(self, png: bytes) -> Raster:
        return raster_from_png(png)

    def to_picture(self, raster: Raster) -> bytes:
        return raster_to_picture(raster)
