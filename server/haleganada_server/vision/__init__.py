"""Drawings -> ink rasters: one function for teaching, predicting and measuring, so that they can never differ."""

from __future__ import annotations

from .encode import Raster, dataset_raster, ink_picture, model_input, network_input, raster_from_png, raster_to_png
from .frame import RASTER_SIDE
from .header import image_pixels
from .limits import DEFAULT_LIMITS, ImageLimits
from .rasterize import PillowRasterizer, rasterize, rasterize_gray

__all__ = [
    "DEFAULT_LIMITS",
    "RASTER_SIDE",
    "ImageLimits",
    "PillowRasterizer",
    "Raster",
    "dataset_raster",
    "image_pixels",
    "ink_picture",
    "model_input",
    "network_input",
    "raster_from_png",
    "raster_to_png",
    "rasterize",
    "rasterize_gray",
]
