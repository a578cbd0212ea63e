"""The frame: nothing is lost at the border, specks are removed, dots are kept."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.glyphs.types import Glyph, Ink
from haleganada_server.vision import rasterize
from haleganada_server.vision.ink.pen import pen_width
from PIL import Image

from tests.unit.server.vision.drawings import (
    Floats,
    Gray,
    coverage,
    curve,
    encode_image,
    letter,
    likeness,
    mix_gray,
    photo,
    stroke,
)


def picture(image: Image.Image, kind: str = "PNG") -> Gray:
    return rasterize(Glyph(image=encode_image(image, kind)))


def parts(raster: Gray) -> int:
    """Return the number of connected parts of ink."""
    open_pixels = {(int(y), int(x)) for y, x in np.argwhere(raster > 127)}
    count = 0
    while open_pixels:
        count += 1
        edge = [open_pixels.pop()]
        while edge:
            y, x = edge.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & open_pixels
            open_pixels -= near
            edge.extend(near)
    return count


def with_dust(cover: Floats, grains: int) -> Image.Image:
    """Return a scan: slightly grainy paper, with gray dust of 1 or 2 px all over it."""
    rng = np.random.default_rng(1)
    gray = np.asarray(mix_gray(cover, 20, 245), dtype=np.float64) + rng.normal(0, 1.5, cover.shape)
    for y, x in rng.integers(0, len(cover) - 2, (grains, 2)):
        gray[y : y + rng.integers(1, 3), x : x + 1] -= 90
    return Image.fromarray(gray.clip(0, 255).astype(np.uint8))


def test_ink_touching_every_border_is_kept() -> None:
    bars = Ink((stroke((0, 0), (280, 280)), stroke((280, 0), (0, 280))), 280, 280, 12)
    raster = picture(mix_gray(coverage(bars, 280)))
    inside = raster[13:115, 13:115]
    assert all(corner.max() > 200 for corner in (inside[:8, :8], inside[:8, -8:], inside[-8:, :8], inside[-8:, -8:]))


@pytest.mark.parametrize("pen", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("pixels", [280, 1120])
def test_hair_thin_lines_stay_whole_and_black(pen: float, pixels: int) -> None:
    line = Ink(letter(pen).strokes[:1], 280, 280, max(pen, 280 / pixels))
    raster = picture(mix_gray(coverage(line, pixels)))
    assert parts(raster) == 1
    assert 2.5 < pen_width(raster) < 5.0
    assert raster.max() >= 250


def test_a_pen_that_covers_more_than_half_of_the_picture() -> None:
    blob = Ink(letter().strokes[:1], 280, 280, 90)
    cover = coverage(blob, 280)
    assert cover[20:-20, 20:-20].mean() > 0.5
    assert likeness(picture(mix_gray(cover)), picture(mix_gray(cover, 255, 0))).within(0.01, 0.97)
    assert picture(mix_gray(cover))[:8].max() == 0


def test_the_dot_of_an_i_stays_in_a_dusty_scan_and_the_dust_goes() -> None:
    cover = coverage(letter(), 560)
    dusty = picture(with_dust(cover, 60))
    assert likeness(dusty, picture(mix_gray(cover))).within(0.01, 0.93)
    assert parts(dusty) == parts(picture(mix_gray(cover)))


def test_a_dot_far_from_the_letter_counts() -> None:
    far = Ink((*letter(size=0.3).strokes, stroke((262, 262))), 280, 280, 10)
    for image in (mix_gray(coverage(far, 280)), photo(coverage(far, 560))):
        corner = picture(image)[90:, 90:]
        assert corner.max() > 200


@pytest.mark.parametrize("pen", [4.0, 8.0, 12.0, 20.0])
def test_a_tap_of_the_pen_is_a_small_disc(pen: float) -> None:
    tap = Ink((stroke((100, 180), (100.5, 180)),), 280, 280, pen)
    drawn, pictured = rasterize(Glyph(ink=tap)), picture(mix_gray(coverage(tap, 280)))
    assert likeness(drawn, pictured).within(0.006, 0.75)
    assert np.ptp(np.flatnonzero((drawn > 127).any(0))) + 1 == pytest.approx(25.6, abs=2)


@pytest.mark.parametrize("radius", [14, 25, 60])
def test_a_ring_fills_the_frame_however_small(radius: float) -> None:
    t = np.linspace(0, 2 * np.pi, 40)
    ring = Ink((curve(140 + radius * np.cos(t), 140 + radius * np.sin(t)),), 280, 280, 10)
    for raster in (rasterize(Glyph(ink=ring)), picture(mix_gray(coverage(ring, 280)))):
        assert np.ptp(np.flatnonzero((raster > 127).any(0))) + 1 == pytest.approx(102.4, abs=3)
        assert raster[60:68, 60:68].max() < 60  # hollow


def test_a_filled_disc_over_much_of_the_canvas_is_no_dot() -> None:
    disc = Ink((stroke((140, 140)),), 280, 280, 120)
    raster = picture(mix_gray(coverage(disc, 280)))
    assert np.ptp(np.flatnonzero((raster > 127).any(0))) + 1 == pytest.approx(102.4, abs=2)


def test_strokes_have_no_cracks_at_their_joints() -> None:
    for corners in (12, 25, 60, 400):
        t = np.linspace(0, 1.9 * np.pi, corners)
        arc = Ink((curve(140 + 100 * np.cos(t), 140 + 100 * np.sin(t)),), 280, 280, 24)
        assert likeness(rasterize(Glyph(ink=arc)), picture(mix_gray(coverage(arc, 280)))).within(0.012, 0.94), corners


def test_a_default_pen_is_a_24th_of_the_canvas() -> None:
    ink = letter(0.0)
    same = letter(280 / 24)
    assert np.array_equal(rasterize(Glyph(ink=ink)), rasterize(Glyph(ink=same)))


def test_pressure_and_time_do_not_shape_the_raster() -> None:
    plain = letter()
    pressed = Ink(
        tuple(
            type(s)(s.x, s.y, tuple(map(float, range(len(s.x)))), tuple(0.1 + 0.01 * i for i in range(len(s.x))))
            for s in plain.strokes
        ),
        plain.width,
        plain.height,
        plain.pen_width,
    )
    assert np.array_equal(rasterize(Glyph(ink=plain)), rasterize(Glyph(ink=pressed)))


def test_dense_strokes_look_like_sparse_ones() -> None:
    t = np.linspace(0, 1.5 * np.pi, 20_000)
    rasters = []
    for points in (t, t[::200]):
        line = curve(140 + 80 * np.cos(points), 140 + 80 * np.sin(points))
        rasters.append(rasterize(Glyph(ink=Ink((line,), 280, 280, 10))))
    assert likeness(*rasters).within(0.01, 0.93)
