"""Pictures of all kinds become pages as a viewer shows them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import NotFound
from haleganada_server.reading.documents import open_document
from PIL import Image

from tests.unit.server.reading.pages import Pixels, draw_page


@pytest.fixture(scope="module")
def scan() -> Image.Image:
    return draw_page(["Some words", "of a page"], size=(420, 200), at=(30, 30))


def read(path: Path, page: int = 1) -> Pixels:
    document = open_document(path)
    try:
        return document.draw(page)
    finally:
        document.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.bmp", {}),
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.tif", {"compression": "jpeg", "quality": 95}),
        ("a.webp", {"lossless": True}),
        ("a.jpg", {"quality": 95, "subsampling": 0}),
        ("a.jpg", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("a.gif", {}),
        ("a.ppm", {}),
        ("a.jp2", {"irreversible": False}),
    ],
)
def test_reads_each_format_whatever_the_file_is_called(
    tmp_path: Path, scan: Image.Image, name: str, options: dict[str, object]
) -> None:
    scan.save(tmp_path / name, **options)  # type: ignore[arg-type]
    path = Path(shutil.copy(tmp_path / name, tmp_path / "page.pdf"))  # an extension that lies

    page = read(path)

    assert page.shape == (200, 420, 3)
    assert page.dtype == np.uint8
    assert np.abs(page.astype(int) - np.asarray(scan)).mean() < 2.5


@pytest.mark.parametrize(
    ("convert", "tolerance"),
    [
        (lambda scan: scan.convert("1", dither=Image.Dither.NONE), 140),
        (lambda scan: scan.convert("L"), 10),
        (lambda scan: scan.convert("LA"), 10),
        (lambda scan: scan.convert("P", palette=Image.Palette.ADAPTIVE), 10),
        (lambda scan: scan.convert("CMYK"), 2),
        (lambda scan: scan.convert("YCbCr"), 10),
        (lambda scan: Image.fromarray(np.asarray(scan.convert("L")).astype(np.uint16) * 257), 10),
        (lambda scan: Image.fromarray(np.asarray(scan.convert("L")).astype(np.uint16) * 16), 12),  # 12 of 16 bits
        (lambda scan: Image.fromarray(np.asarray(scan.convert("L")).astype(np.int32)), 10),
        (lambda scan: Image.fromarray(np.asarray(scan.convert("L")).astype(np.float32)), 10),
        (lambda scan: Image.fromarray(np.asarray(scan.convert("L")).astype(np.float32) / 255), 10),
    ],
)
def test_reads_every_depth_and_color_space(
    tmp_path: Path, scan: Image.Image, convert: Callable[[Image.Image], Image.Image], tolerance: float
) -> None:
    convert(scan).save(tmp_path / "a.tif")

    page = read(tmp_path / "a.tif").astype(int)

    assert np.abs(page - np.asarray(scan)).max() <= tolerance
    assert page[0, 0].min() > 250


def test_numbers_that_are_not_finite_are_paper(tmp_path: Path) -> None:
    values = np.full((20, 30), 0.9, np.float32)
    values[5, 5], values[6, 6], values[7, 7], values[8, 8] = np.nan, np.inf, -np.inf, 0.0
    Image.fromarray(values).save(tmp_path / "a.tif")

    page = read(tmp_path / "a.tif")

    assert page[5, 5, 0] == page[6, 6, 0] == 255
    assert page[7, 7, 0] == page[8, 8, 0] == 0
    assert page[0, 0, 0] in (229, 230)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_ground_is_white_paper(tmp_path: Path, mode: str) -> None:
    drawing = Image.new(mode, (60, 40), 0)
    drawing.paste(Image.new(mode, (20, 10), (0, 0, 0, 255) if mode == "RGBA" else (0, 255)), (10, 10))
    drawing.save(tmp_path / "a.png")

    page = read(tmp_path / "a.png")

    assert page[0, 0].tolist() == [255, 255, 255]
    assert page[15, 15].tolist() == [0, 0, 0]


def test_a_transparent_color_of_a_palette_is_white_paper(tmp_path: Path) -> None:
    drawing = Image.new("P", (60, 40), 0)
    drawing.putpalette([10, 20, 30, 0, 0, 0])
    drawing.paste(1, (10, 10, 30, 20))
    drawing.save(tmp_path / "a.png", transparency=0)

    page = read(tmp_path / "a.png")

    assert page[0, 0].tolist() == [255, 255, 255]
    assert page[15, 15].tolist() == [0, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_turns_a_photo_as_the_camera_says(tmp_path: Path, scan: Image.Image, orientation: int, suffix: str) -> None:
    stored = (
        scan.transpose(
            {
                2: Image.Transpose.FLIP_LEFT_RIGHT,
                3: Image.Transpose.ROTATE_180,
                4: Image.Transpose.FLIP_TOP_BOTTOM,
                5: Image.Transpose.TRANSPOSE,
                6: Image.Transpose.ROTATE_90,
                7: Image.Transpose.TRANSVERSE,
                8: Image.Transpose.ROTATE_270,
            }[orientation]
        )
        if orientation > 1
        else scan
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"a.{suffix}", exif=exif, quality=95)

    page = read(tmp_path / f"a.{suffix}")

    assert page.shape == (200, 420, 3)
    assert np.abs(page.astype(int) - np.asarray(scan)).mean() < 8


def test_reads_all_pages_of_a_tiff(tmp_path: Path, scan: Image.Image) -> None:
    pages = [Image.new("L", (40 + number, 30), number) for number in range(25)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])

    document = open_document(tmp_path / "a.tif")

    assert document.pages_total == 25
    for number in (25, 1, 13, 13, 2):
        page = document.draw(number)
        assert page.shape == (30, 39 + number, 3)
        assert (page == number - 1).all()
        assert document.text_lines(number) == []
    document.close()


def test_passes_over_smaller_copies_in_a_tiff(tmp_path: Path) -> None:
    page, copy = Image.new("L", (40, 30), 9), Image.new("L", (20, 15), 9)
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    page.save(tmp_path / "a.tif", save_all=True, append_images=[copy, page])

    document = open_document(tmp_path / "a.tif")

    assert document.pages_total == 2
    assert document.draw(2).shape == (30, 40, 3)
    document.close()


def test_an_animation_is_one_page(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 10), color) for color in ("red", "blue", "lime")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])

    document = open_document(tmp_path / "a.gif")

    assert document.pages_total == 1
    assert document.draw(1)[0, 0].tolist() == [255, 0, 0]
    document.close()


@pytest.mark.parametrize("page", [0, 2, -1, 10**9])
def test_tells_that_there_is_no_such_page(tmp_path: Path, scan: Image.Image, page: int) -> None:
    scan.save(tmp_path / "a.png")
    document = open_document(tmp_path / "a.png")

    for look in (document.draw, document.text_lines):
        with pytest.raises(NotFound, match="1 page") as error:
            look(page)
        assert error.value.reason is Reason.PAGE_NOT_FOUND
    document.close()
