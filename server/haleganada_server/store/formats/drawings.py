"""Stored drawings as pictures that any viewer shows: black on white."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from haleganada_server.core.ink_codec import decode_ink
from haleganada_server.core.ports import InkReader, SampleRow
from haleganada_server.core.types import Glyph


def black_on_white(sample: SampleRow, ink: InkReader) -> bytes:
    """A PNG of 128 x 128 pixels."""
    if sample.glyph_kind == "ink":
        raster = ink.normalise(Glyph(ink=decode_ink(sample.glyph)))
    else:
        raster = ink.decode(sample.glyph)
    buffer = io.BytesIO()
    ImageOps.invert(Image.fromarray(raster)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
