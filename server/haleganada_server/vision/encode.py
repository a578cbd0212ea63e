"""Rasters as what the network takes, as what is stored, and as what people look at."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .frame import RASTER_SIDE

Raster = NDArray[np.uint8]


def network_input(rasters: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """(n, 128, 128) uint8 -> (n, 1, side, side) float32 in 0..1, by the mean over each pixel's area."""
    n = len(rasters)
    if RASTER_SIDE % side == 0:
        factor = RASTER_SIDE // side
        sums = np.zeros((n, 1, side, side), dtype=np.uint16)
        for y in range(factor):  # strided sums: several times as fast as a sum over two small axes
            for x in range(factor):
                sums[:, 0] += rasters[:, y::factor, x::factor]
        return np.multiply(sums, np.float32(1 / (255 * factor * factor)), dtype=np.float32)
    resized = [np.asarray(Image.fromarray(r).resize((side, side), Image.Resampling.BOX)) for r in rasters]
    return np.asarray(resized, dtype=np.float32).reshape(n, 1, side, side) / np.float32(255)


def encode_raster(raster: Raster) -> bytes:
    """(128, 128) -> PNG, as stored in the log; the same raster always gives the same bytes."""
    return _png(Image.fromarray(raster))


def decode_raster(png: bytes) -> Raster:
    """The inverse of encode_raster."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        return np.asarray(image.convert("L"))


def ink_picture(raster: Raster) -> bytes:
    """(128, 128) -> PNG for people: black ink on a transparent ground, fit for light and dark pages."""
    ink = Image.fromarray(raster)
    return _png(Image.merge("LA", (Image.new("L", ink.size, 0), ink)))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
