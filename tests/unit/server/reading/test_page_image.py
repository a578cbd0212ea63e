"""Pictures of pages for people to look at."""

from __future__ import annotations

import io

import numpy as np
import pytest
from haleganada_server.core.reading.page import StepPicture
from haleganada_server.reading.page_image import encode_jpeg, fit_pictures
from PIL import Image


@pytest.mark.parametrize(("max_side", "size"), [(100, (100, 50)), (16, (16, 8)), (4096, (400, 200))])
def test_a_picture_is_at_most_so_large_and_never_larger_than_the_page(max_side: int, size: tuple[int, int]) -> None:
    page = np.full((200, 400, 3), (255, 0, 0), np.uint8)
    width, height, jpeg = encode_jpeg(page, max_side)
    with Image.open(io.BytesIO(jpeg)) as image:
        assert (image.format, image.size, (width, height)) == ("JPEG", size, size)
        red = np.asarray(image.convert("RGB"))[1, 1]
    assert red[0] > 240 and red[1] < 15 and red[2] < 15


def noise(side: int) -> StepPicture:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return StepPicture(f"{side}", buffer.getvalue())


def test_the_largest_pictures_are_made_smaller_until_all_fit() -> None:
    pictures = [noise(40), noise(400), noise(300)]
    fitted = fit_pictures(pictures, 200_000)
    assert fitted[0] == pictures[0] and [picture.step for picture in fitted] == ["40", "400", "300"]
    assert 50_000 < sum(len(picture.image) for picture in fitted) <= 200_000
    with Image.open(io.BytesIO(fitted[1].image)) as image:
        assert image.size == (200, 200)
    assert fit_pictures(pictures, 10**9) == pictures and fit_pictures([], 0) == []


def test_pictures_that_fit_nowhere_are_left_out() -> None:
    assert fit_pictures([noise(40)], 10) == []
