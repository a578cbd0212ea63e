"""A raster does not depend on position, size, the camera's orientation or brightness."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from haleganada_server.core.glyphs.types import Glyph, Ink
from haleganada_server.vision import raster_to_picture, rasterize
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.unit.server.vision.drawings import (
    Gray,
    coverage,
    encode_image,
    letter,
    likeness,
    mix_gray,
    photo,
    stroke,
)

shares = st.floats(0.0, 1.0)


@cache
def reference() -> Gray:
    return rasterize(Glyph(ink=letter()))


def picture(image: Image.Image) -> Gray:
    return rasterize(Glyph(image=encode_image(image)))


def move_letter(x: float, y: float, scale: float = 1.0, pen: float = 10.0) -> Ink:
    """Return letter() on its canvas, scaled with its pen about a corner, then moved."""
    lines = [
        stroke(*((x + scale * a, y + scale * b) for a, b in zip(s.x, s.y, strict=True))) for s in letter(pen).strokes
    ]
    return Ink(tuple(lines), 280, 280, pen * scale)


@given(x=st.floats(-40, 40), y=st.floats(-40, 40))
def test_moving_a_picture(x: float, y: float) -> None:
    assert likeness(picture(mix_gray(coverage(move_letter(x, y), 280))), reference()).within(0.02, 0.85)


@settings(max_examples=15, deadline=None)
@example(0.5004251892067895)
@given(scale=st.floats(0.4, 1.0))
def test_scaling_a_picture(scale: float) -> None:
    assert likeness(picture(mix_gray(coverage(move_letter(20, 20, scale), 280))), reference()).within(0.03, 0.82)


@given(x=st.floats(-1e5, 1e5), y=st.floats(-1e5, 1e5), scale=st.floats(0.01, 1000))
def test_moving_and_scaling_strokes(x: float, y: float, scale: float) -> None:
    """The canvas's size matters only for the default pen."""
    assert likeness(rasterize(Glyph(ink=move_letter(x, y, scale))), reference()).within(0.01, 0.93)


@given(ink=st.integers(0, 255), paper=st.integers(0, 255))
def test_any_tone_on_any_other(ink: int, paper: int) -> None:
    if abs(ink - paper) < 40:
        return
    assert likeness(picture(mix_gray(_cover(), ink, paper)), picture(mix_gray(_cover()))).within(0.015, 0.9)


@cache
def _cover() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return coverage(letter(), 280)


@pytest.mark.parametrize("pixels", [140, 280, 560, 840, 1400])
def test_the_pixels_of_the_screen(pixels: int) -> None:
    assert likeness(picture(mix_gray(coverage(letter(), pixels))), picture(mix_gray(_cover()))).within(0.02, 0.88)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_all_eight_exif_turns(kind: str) -> None:
    upright = photo(coverage(letter(), 400))
    rasters = []
    for orientation, turn in enumerate(
        [
            None,
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.ROTATE_180,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.ROTATE_90,
            Image.Transpose.TRANSVERSE,
            Image.Transpose.ROTATE_270,
        ],
        start=1,
    ):
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = upright if turn is None else upright.transpose(turn)
        rasters.append(rasterize(Glyph(image=encode_image(stored, kind, exif=exif.tobytes()))))
    for raster in rasters[1:]:
        assert likeness(raster, rasters[0]).within(0.01, 0.95)


def test_a_damaged_exif_block_is_as_good_as_none() -> None:
    image = mix_gray(_cover())
    damaged = encode_image(image, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f broken")
    assert likeness(rasterize(Glyph(image=damaged)), reference()).within(0.02, 0.85)


@pytest.mark.parametrize("pen", [8.0, 10.0, 14.0, 18.0])
@pytest.mark.parametrize("size", [0.5, 0.7, 0.9])
def test_strokes_and_their_picture(pen: float, size: float) -> None:
    """For pens of 3.5 to 12 px of the raster; thinner lines of pictures are thickened, thicker strokes are thinned."""
    ink = letter(pen, size=size)
    like = likeness(rasterize(Glyph(ink=ink)), picture(mix_gray(coverage(ink, 280))))
    assert like.within(0.02, 0.85), like


@pytest.mark.parametrize("pen", [1.0, 2.0, 4.0])
def test_hair_thin_strokes_and_their_picture(pen: float) -> None:
    ink = letter(pen, size=0.7)
    like = likeness(rasterize(Glyph(ink=ink)), picture(mix_gray(coverage(ink, 280))))
    assert like.within(0.025, 0.7), like


@pytest.mark.parametrize("size", [128, 280])
def test_a_gallery_picture_read_again(size: int) -> None:
    assert likeness(rasterize(Glyph(image=raster_to_picture(reference(), size))), reference()).within(0.015, 0.9)
