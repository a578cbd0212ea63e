"""Drawings -> ink rasters: one function for teaching, predicting and evaluating, so that they can never differ."""

from __future__ import annotations

from .frame import RASTER_SIDE
from .inputs import dataset_raster, model_input, network_input
from .limits import DEFAULT_LIMITS, ImageLimits
from .png import Raster, raster_from_png, raster_to_picture, raster_to_png
from .rasterize import PillowRasterizer, count_pixels_to_decode, decode_for_dataset, rasterize, rasterize_gray

__all__ = [
    "DEFAULT_LIMITS",
    "RASTER_SIDE",
    "ImageLimits",
    "PillowRasterizer",
    "Raster",
    "count_pixels_to_decode",
    "dataset_raster",
    "decode_for_dataset",
    "model_input",
    "network_input",
    "raster_from_png",
    "raster_to_picture",
    "raster_to_png",
    "rasterize",
    "rasterize_gray",
]
