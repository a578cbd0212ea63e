"""Ink rasters as PNG: as the log stores them, and as people look at them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.errors import DataLoss

from .frame import RASTER_SIDE
from .images.decoders import raise_if_machine_failed

Raster = NDArray[np.uint8]


def raster_to_png(raster: Raster) -> bytes:
    """(128, 128) -> gray PNG of 1 to 2 KB, as stored in the log; the same raster always gives the same bytes."""
    return _to_png(Image.fromarray(raster))


def raster_from_png(png: bytes) -> Raster:
    """Decode what raster_to_png wrote. Raises DataLoss for anything else."""
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            if image.mode == "L" and image.size == (RASTER_SIDE, RASTER_SIDE):
                return np.asarray(image)
    except Exception as error:  # decoders of damaged bytes raise nearly anything, and it always means the same
        raise_if_machine_failed(error)
    raise DataLoss("a stored drawing cannot be read; restore a snapshot, or forget the sample and teach it again")


def raster_to_picture(raster: Raster, size: int = RASTER_SIDE) -> bytes:
    """(128, 128) -> PNG of size x size px for people: black ink on a transparent background."""
    ink = Image.fromarray(raster)
    if size != RASTER_SIDE:
        ink = ink.resize((size, size), Image.Resampling.BILINEAR)
    return _to_png(Image.merge("LA", (Image.new("L", ink.size, 0), ink)))


def _to_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()
