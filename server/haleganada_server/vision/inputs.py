"""Ink rasters as networks take them and as data sets store them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import DATASET_SIDE

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
    return _resample(rasters * np.float32(1 / 255), _area_weights(given, side))


def dataset_raster(raster: Raster) -> Raster:
    """(128, 128) -> (64, 64) uint8 as data sets store it: the mean of each 2 x 2 pixels, rounded half up."""
    wide = raster.astype(np.uint16)
    sums = wide[::2, ::2] + wide[1::2, ::2] + wide[::2, 1::2] + wide[1::2, 1::2]
    return ((sums + 2) >> 2).astype(np.uint8)


def model_input(rasters: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """(n, s, s) uint8, s = 128 or 64 -> (n, 1, side, side) float32 in 0..1, the input of a model trained on a data set.

    Reduced by area, or enlarged bilinearly beyond the size that data sets store (64 px). A larger raster is first
    reduced to that size, so that a model never sees sharper edges than those it was trained on.
    """
    if side <= DATASET_SIDE and rasters.shape[1] % side == 0:
        return network_input(rasters, side)
    stored = network_input(rasters, DATASET_SIDE)[:, 0]
    weights = _bilinear_weights if side > DATASET_SIDE else _area_weights
    return _resample(stored, weights(DATASET_SIDE, side))


def _resample(rasters: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, s, s) -> (n, 1, side, side), with the same weights (side, s) along both axes."""
    return np.asarray((weights @ rasters @ weights.T)[:, None])


def _area_weights(given: int, side: int) -> NDArray[np.float32]:
    """(side, given): the share of each old pixel in each new one, along one axis."""
    edges = np.arange(side + 1) * (given / side)
    old = np.arange(given)
    overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return np.asarray(np.clip(overlap, 0, None) * (side / given), dtype=np.float32)


def _bilinear_weights(given: int, side: int) -> NDArray[np.float32]:
    """(side, given): the weights of the two old pixels nearest to each new one, along one axis."""
    centers = np.clip((np.arange(side) + 0.5) * (given / side) - 0.5, 0, given - 1)
    distance = np.abs(centers[:, None] - np.arange(given))
    return np.asarray(np.clip(1 - distance, 0, None), dtype=np.float32)
