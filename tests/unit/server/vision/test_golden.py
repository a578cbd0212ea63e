"""Every way to send a drawing gives the raster that is kept in golden/, so no change goes unnoticed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import raster_from_png, rasterize

from tests.unit.server.vision.cases import CASES, LIKE_THE_STROKES
from tests.unit.server.vision.drawings import Gray, letter, likeness
from tests.unit.server.vision.make_golden import GOLDEN


@cache
def raster_of(name: str) -> Gray:
    return rasterize(CASES[name]())


@pytest.mark.parametrize("name", CASES)
def test_is_as_kept(name: str) -> None:
    kept = raster_from_png((GOLDEN / f"{name}.png").read_bytes())
    assert likeness(raster_of(name), kept).difference < 0.006  # decoders differ in the last bit


def test_keeps_no_case_that_is_gone() -> None:
    assert {path.stem for path in GOLDEN.glob("*.png")} == set(CASES)


@pytest.mark.parametrize("name", LIKE_THE_STROKES)
def test_a_picture_gives_nearly_the_raster_of_its_strokes(name: str) -> None:
    like = likeness(raster_of(name), rasterize(Glyph(ink=letter())))
    assert like.within(0.02, 0.85), like


@pytest.mark.parametrize("name", CASES)
def test_is_framed(name: str) -> None:
    raster = raster_of(name)
    assert raster.shape == (128, 128)
    assert raster.dtype == np.uint8
    assert raster.max() >= 250
    rows, columns = np.flatnonzero((raster > 127).any(1)), np.flatnonzero((raster > 127).any(0))
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert abs(longest - (25.6 if "dot" in name else 102.4)) <= 2.5
    assert abs(rows[0] + rows[-1] - 127) <= 2
    assert abs(columns[0] + columns[-1] - 127) <= 2


@pytest.mark.parametrize("name", CASES)
def test_a_raster_read_again_is_itself(name: str) -> None:
    """An import restores what an export wrote."""
    png = (GOLDEN / f"{name}.png").read_bytes()
    assert likeness(rasterize(Glyph(image=png)), raster_from_png(png)).within(0.01, 0.95)


def test_dots_and_rings_and_commas_differ() -> None:
    dot = raster_of("single_dot")
    assert likeness(dot, raster_of("single_dot_strokes")).within(0.003, 0.9)
    assert likeness(dot, raster_of("single_dot_photo")).within(0.003, 0.9)
    assert likeness(dot, raster_of("comma")).overlap < 0.5
