"""Drawings -> ink rasters: one function for teaching, predicting and measuring, so that they can never differ."""

from __future__ import annotations

from .encode import Raster, dataset_raster, decode_raster, encode_raster, ink_picture, model_input, network_input
from .frame import RASTER_SIDE
from .header import image_pixels
from .limits import DEFAULT_LIMITS, ImageLimits
from .normalize import PillowInkReader, normalize, normalize_gray

__all__ = [
    "DEFAULT_LIMITS",
    "RASTER_SIDE",
    "ImageLimits",
    "PillowInkReader",
    "Raster",
    "dataset_raster",
    "decode_raster",
    "encode_raster",
    "image_pixels",
    "ink_picture",
    "model_input",
    "network_input",
    "normalize",
    "normalize_gray",
]
