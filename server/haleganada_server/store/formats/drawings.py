"""Converts stored drawings to rasters, and to pictures for any viewer: black on white."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from haleganada_server.core.errors import DataLoss, InvalidInput
from haleganada_server.core.glyphs.ink_codec import INK_DAMAGE, decode_ink
from haleganada_server.core.glyphs.ports import Raster, Rasterizer
from haleganada_server.core.glyphs.types import Glyph, Ink
from haleganada_server.core.sample_log.rows import SYNTHETIC, SampleRow


def to_raster(kind: str, data: bytes, rasterizer: Rasterizer) -> Raster:
    """Return the ink raster of a stored drawing. Raises InvalidInput or DataLoss if the bytes are not a drawing."""
    if kind in ("png", SYNTHETIC):
        return rasterizer.from_png(data)
    if kind != "ink":
        raise DataLoss("a stored drawing is neither strokes nor a picture")
    return rasterizer.rasterize(Glyph(ink=to_ink(data)))


def to_glyph(kind: str, data: bytes) -> Glyph:
    """Return a stored drawing as callers send it. Raises DataLoss."""
    return Glyph(ink=to_ink(data)) if kind == "ink" else Glyph(image=data, synthetic=kind == SYNTHETIC)


def to_ink(data: bytes) -> Ink:
    """Return the strokes of a stored drawing. Raises DataLoss."""
    try:
        return decode_ink(data)
    except INK_DAMAGE:
        raise DataLoss("the strokes of a stored drawing are damaged") from None


def to_png(sample: SampleRow, rasterizer: Rasterizer) -> bytes:
    """Return a PNG of 128 x 128 pixels, black on white. Raises DataLoss, naming the sample, if its drawing is
    damaged.
    """
    try:
        pixels = to_raster(sample.glyph_kind, sample.glyph, rasterizer)
    except (InvalidInput, DataLoss) as error:
        raise DataLoss(
            f"the drawing of sample {sample.sample_id} is damaged; forget that sample, or restore a snapshot"
        ) from error
    return raster_to_png(pixels)


def raster_to_png(raster: Raster) -> bytes:
    """Return an ink raster as a PNG, black on white."""
    buffer = io.BytesIO()
    ImageOps.invert(Image.fromarray(raster)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
