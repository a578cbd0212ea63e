"""Pages become upright, level and dark on light; good pages stay as they are; polygons find their way back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from haleganada_server.core.reading.options import PreparationStep
from haleganada_server.reading.preparation import prepare
from PIL import Image

from tests.support.slow import slow
from tests.unit.server.reading.pages import Pixels, draw_page, text_of

MARK = (300.0, 210.0)
"""Where draw_marked_page has the center of a red square."""


def draw_marked_page() -> Image.Image:
    page = draw_page(text_of(40), at=(120, 300))
    page.paste((230, 0, 0), (290, 200, 310, 220))
    return page


def find_mark(picture: Pixels) -> tuple[float, float]:
    """The center of the red square, in px of the picture."""
    red, green, blue = np.moveaxis(picture, 2, 0)
    rows, columns = np.nonzero((red > 115) & (red - np.minimum(red, np.maximum(green, blue)) > 115))
    return float(columns.mean() + 0.5), float(rows.mean() + 0.5)


@pytest.mark.parametrize("degrees", [-3.1, 0.3, 8.8, *slow(-10, -7.3, -1, -0.4, 0.9, 2.6, 5, 10)])
def test_levels_sloping_lines_and_maps_back_exactly(degrees: float) -> None:
    page = np.asarray(draw_marked_page().rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white"))

    prepared = prepare(page)

    assert prepared.skew_degrees == pytest.approx(degrees, abs=0.1)
    assert prepared.turn_degrees == 0
    back = prepared.map_polygon((find_mark(prepared.picture),))[0]
    assert back == pytest.approx(find_mark(page), abs=1)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("degrees", [4, *slow(0, -6)])
def test_turns_pages_upright_and_maps_back_exactly(turn: int, degrees: float) -> None:
    sloping = draw_marked_page().rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    page = np.ascontiguousarray(np.rot90(np.asarray(sloping), turn // 90))

    prepared = prepare(page)

    assert prepared.turn_degrees == turn
    assert prepared.skew_degrees == pytest.approx(degrees, abs=0.1)
    back = prepared.map_polygon((find_mark(prepared.picture),))[0]
    assert back == pytest.approx(find_mark(page), abs=1)


def test_leaves_a_good_page_as_it_is() -> None:
    page = np.asarray(draw_marked_page())

    prepared = prepare(page)

    assert np.array_equal(prepared.picture, page)
    assert prepared.skew_degrees == pytest.approx(0, abs=0.1)
    assert prepared.map_polygon(((1.0, 2.0), (3.0, 4.0))) == ((1.0, 2.0), (3.0, 4.0))


def test_light_text_on_a_dark_ground_is_inverted() -> None:
    page = np.asarray(draw_marked_page().convert("L").convert("RGB"))

    assert np.array_equal(prepare(255 - page).picture, page)


@pytest.mark.parametrize("step", PreparationStep)
def test_leaves_out_what_is_skipped(step: PreparationStep) -> None:
    page = draw_marked_page().rotate(93, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    prepared = prepare(255 - np.asarray(page), frozenset({step}), debug=True)

    taken = [picture.step for picture in prepared.step_pictures]

    assert taken == [other.value for other in PreparationStep if other is not step]
    if step is PreparationStep.TURN:
        assert prepared.turn_degrees is None
    if step is PreparationStep.SKEW:
        assert prepared.skew_degrees is None
    if step is PreparationStep.COLUMNS:
        assert prepared.columns == ()


def test_pictures_of_the_steps_are_small_pngs() -> None:
    page = np.full((3000, 1000, 3), 255, np.uint8)

    pictures = prepare(page, debug=True).step_pictures

    assert [picture.step for picture in pictures] == [step.value for step in PreparationStep]
    for picture in pictures:
        with Image.open(io.BytesIO(picture.image)) as image:
            assert image.format == "PNG"
            assert image.size == (667, 2000)


def test_does_not_change_the_page_that_was_given() -> None:
    page = np.asarray(draw_marked_page()).copy()
    page.flags.writeable = False

    prepare(page)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (7, 3), (30, 20_000)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_empty_pages_of_any_size_stay_as_they_are(size: tuple[int, int], level: int) -> None:
    page = np.full((*size, 3), level, np.uint8)

    prepared = prepare(page, debug=True)

    assert np.array_equal(prepared.picture, page)
    assert prepared.turn_degrees is None
    assert prepared.skew_degrees is None
