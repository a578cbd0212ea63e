"""Rasters as what the network takes, as what is stored, and as what people look at."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haleganada_server.core.datasets.dataset import DATASET_SIDE
from haleganada_server.core.errors import DataLoss

from .frame import RASTER_SIDE

Raster = NDArray[np.uint8]


def network_input(rasters: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """(n, s, s) uint8, usually s = 128 -> (n, 1, side, side) float32 in 0..1, by the mean over each pixel's area."""
    given = rasters.shape[1]
    factor = given // side
    if factor * side == given and factor <= 16:  # 16-bit sums of 16 x 16 bytes do not overflow
        sums = np.zeros((len(rasters), 1, side, side), dtype=np.uint16)
        for y in range(factor):  # strided sums: several times as fast as a sum over two small axes
            for x in range(factor):
                sums[:, 0] += rasters[:, y::factor, x::factor]
        return np.multiply(sums, np.float32(1 / (255 * factor * factor)), dtype=np.float32)
    return _weighted(rasters * np.float32(1 / 255), _area_weights(given, side))


def dataset_raster(raster: Raster) -> Raster:
    """(128, 128) -> (64, 64) uint8 as data sets store it: the mean of each four pixels, rounded half up."""
    wide = raster.astype(np.uint16)
    sums = wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]
    return ((sums + 2) >> 2).astype(np.uint8)


def model_input(rasters: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """(n, s, s) uint8, s = 128 or 64 -> (n, 1, side, side) float32 in 0..1: what a model of a data set takes.

    By area where it gets smaller, bilinear where it gets larger than what data sets store (64 px). A larger raster is
    first reduced to that, so that a model never sees sharper edges than those it was trained on.
    """
    if side <= DATASET_SIDE and rasters.shape[1] % side == 0:
        return network_input(rasters, side)
    stored = network_input(rasters, DATASET_SIDE)[:, 0]
    weights = _bilinear_weights if side > DATASET_SIDE else _area_weights
    return _weighted(stored, weights(DATASET_SIDE, side))


def _weighted(rasters: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, s, s) -> (n, 1, side, side), by the same weights (side, s) along both axes."""
    return np.asarray((weights @ rasters @ weights.T)[:, None])


def _area_weights(given: int, side: int) -> NDArray[np.float32]:
    """(side, given): by which share each old pixel is part of each new one, along one axis."""
    edges = np.arange(side + 1) * (given / side)
    old = np.arange(given)
    overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return np.asarray(np.clip(overlap, 0, None) * (side / given), dtype=np.float32)


def _bilinear_weights(given: int, side: int) -> NDArray[np.float32]:
    """(side, given): how much each new pixel takes from the two old ones whose centers are nearest, along one axis."""
    centers = np.clip((np.arange(side) + 0.5) * (given / side) - 0.5, 0, given - 1)
    distance = np.abs(centers[:, None] - np.arange(given))
    return np.asarray(np.clip(1 - distance, 0, None), dtype=np.float32)


def raster_to_png(raster: Raster) -> bytes:
    """(128, 128) -> gray PNG of 1 to 2 KB, as stored in the log; the same raster always gives the same bytes."""
    return _png(Image.fromarray(raster))


def raster_from_png(png: bytes) -> Raster:
    """The inverse of raster_to_png. Raises DataLoss for anything that it did not write."""
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            if image.mode == "L" and image.size == (RASTER_SIDE, RASTER_SIDE):
                return np.asarray(image)
    except Exception:  # decoders of damaged bytes raise nearly anything, and it always means the same
        pass
    raise DataLoss("a stored drawing cannot be read; restore a snapshot, or forget the sample and teach it again")


def ink_picture(raster: Raster, size: int = RASTER_SIDE) -> bytes:
    """(128, 128) -> PNG of size x size px for people: black ink on a transparent ground, for light and dark pages."""
    ink = Image.fromarray(raster)
    if size != RASTER_SIDE:
        ink = ink.resize((size, size), Image.Resampling.BILINEAR)
    return _png(Image.merge("LA", (Image.new("L", ink.size, 0), ink)))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()
