"""Drawings -> ink rasters: one function for teaching, predicting and measuring, so that they can never differ."""

from __future__ import annotations

from .encode import Raster, decode_raster, encode_raster, ink_picture, model_input, network_input
from .frame import RASTER_SIDE
from .limits import DEFAULT_LIMITS, ImageLimits
from .normalise import PillowInkReader, normalise

__all__ = [
    "DEFAULT_LIMITS",
    "RASTER_SIDE",
    "ImageLimits",
    "PillowInkReader",
    "Raster",
    "decode_raster",
    "encode_raster",
    "ink_picture",
    "model_input",
    "network_input",
    "normalise",
]
