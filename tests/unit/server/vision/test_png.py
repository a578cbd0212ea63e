"""Ink rasters as PNG, stored and shown."""

from __future__ import annotations

import io

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import raster_from_png, raster_to_picture, raster_to_png, rasterize
from PIL import Image

from tests.unit.server.vision.drawings import encode_image, letter

_RASTERS = np.random.default_rng(0).integers(0, 256, (3, 128, 128), dtype=np.uint8)


def test_a_stored_raster_comes_back_bit_by_bit() -> None:
    for raster in (*_RASTERS, rasterize(Glyph(ink=letter()))):
        assert np.array_equal(raster_from_png(raster_to_png(raster)), raster)
        assert raster_to_png(raster) == raster_to_png(raster.copy())


def test_a_stored_raster_is_small() -> None:
    assert len(raster_to_png(rasterize(Glyph(ink=letter())))) < 2048


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        raster_to_png(_RASTERS[0])[:-40],
        encode_image(Image.new("L", (64, 64))),
        encode_image(Image.new("RGB", (128, 128))),
    ],
)
def test_a_damaged_stored_raster_is_data_loss(data: bytes) -> None:
    with pytest.raises(DataLoss):
        raster_from_png(data)


@pytest.mark.parametrize("size", [128, 48])
def test_a_picture_is_black_ink_on_nothing(size: int) -> None:
    raster = rasterize(Glyph(ink=letter()))
    with Image.open(io.BytesIO(raster_to_picture(raster, size))) as image:
        assert image.mode == "LA"
        assert image.size == (size, size)
        gray, alpha = (np.asarray(band) for band in image.split())
    assert gray.max() == 0
    assert alpha[0, 0] == 0
    assert abs(alpha.mean() - raster.mean()) < 1.5
