"""Ink rasters as networks take them and as data sets store them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import DATASET_SIDE

Raster = NDArray[np.uint8]
_SIDES = 16  # whose weights are kept: more than there are networks in use at once


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
    return _resample(rasters, 1 / 255, _area_weights(given, side))


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
    return _resample(stored, 1.0, weights(DATASET_SIDE, side))


class _Weights(NamedTuple):
    """How a side of `given` pixels becomes one of `side` pixels. rows: (side, given). columns: the same transposed,
    (given, side), but in memory row by row, which a product reads twice as fast.
    """

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]

    @classmethod
    def of(cls, weights: NDArray[np.float64]) -> _Weights:
        """Return (side, given) weights in both forms; they must not change any more."""
        rows = weights.astype(np.float32)
        columns = np.ascontiguousarray(rows.T)
        rows.flags.writeable = columns.flags.writeable = False
        return cls(rows, columns)


def _resample(rasters: NDArray[np.generic], unit: float, weights: _Weights) -> NDArray[np.float32]:
    """(n, s, s) -> (n, 1, side, side) of unit times them, with the same weights along both axes."""
    side = len(weights.rows)
    resampled = np.empty((len(rasters), 1, side, side), dtype=np.float32)
    for raster, result in zip(rasters, resampled[:, 0], strict=True):  # one at a time stays in the processor's cache
        np.matmul(weights.rows @ (raster * np.float32(unit)), weights.columns, out=result)
    return resampled


@lru_cache(_SIDES)
def _area_weights(given: int, side: int) -> _Weights:
    """The share of each old pixel in each new one, along one axis."""
    edges = np.arange(side + 1) * (given / side)
    old = np.arange(given)
    overlap = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return _Weights.of(np.clip(overlap, 0, None) * (side / given))


@lru_cache(_SIDES)
def _bilinear_weights(given: int, side: int) -> _Weights:
    """The weights of the two old pixels nearest to each new one, along one axis."""
    centers = np.clip((np.arange(side) + 0.5) * (given / side) - 0.5, 0, given - 1)
    distance = np.abs(centers[:, None] - np.arange(given))
    return _Weights.of(np.clip(1 - distance, 0, None))
