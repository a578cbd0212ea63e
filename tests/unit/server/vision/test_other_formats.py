"""Formats besides PNG, JPEG and WebP, what a file has besides the picture, and photos of phones."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import rasterize
from haleganada_server.vision.images.header import read_header
from PIL import Image, ImageDraw, features


def draw(side: int = 120) -> Image.Image:
    image = Image.new("L", (side, side), 255)
    ImageDraw.Draw(image).line([(20, 100), (60, 20), (100, 100)], fill=0, width=8)
    return image


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


RASTER = rasterize(Glyph(image=encode(draw(), "PNG")))
FILES = {
    "BMP": encode(draw(), "BMP"),
    "BMP in colors": encode(draw().convert("RGB"), "BMP"),
    "GIF": encode(draw(), "GIF"),
    "the first of an animated GIF": encode(draw(), "GIF", save_all=True, append_images=[Image.new("L", (120, 120))]),
    "TIFF": encode(draw(), "TIFF"),
    "compressed TIFF": encode(draw(), "TIFF", compression="tiff_lzw"),
    "bilevel TIFF": encode(draw().convert("1"), "TIFF", compression="group4"),
    "the first page of a TIFF": encode(draw(), "TIFF", save_all=True, append_images=[Image.new("L", (50, 60))]),
}
if features.check("avif"):
    FILES["AVIF"] = encode(draw().convert("RGB"), "AVIF", quality=100)


@pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())
def test_the_same_drawing_in_any_format(data: bytes) -> None:
    assert np.abs(rasterize(Glyph(image=data)).astype(int) - RASTER).mean() < 4
    assert (read_header(data).width, read_header(data).height) == (120, 120)


@pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())
def test_a_part_of_a_file_is_refused(data: bytes) -> None:
    for keep in (4, 12, 30, len(data) // 3):
        with pytest.raises(InvalidInput):
            rasterize(Glyph(image=data[:keep]))


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + bytes(100),
        b"BM" + bytes(12) + struct.pack("<Iii", 40, 60_000, -60_000) + bytes(100),
        b"II*\0\x08\0\0\0\2\0" + struct.pack("<HHIIHHII", 256, 4, 1, 60_000, 257, 4, 1, 60_000) + bytes(9),
    ],
    ids=["GIF", "BMP", "TIFF"],
)
def test_a_size_is_refused_before_anything_is_decoded(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="60000 x 60000 pixels; at most"):
        rasterize(Glyph(image=data))


def chunk(kind: bytes, content: bytes, *, sound: bool = True) -> bytes:
    checksum = zlib.crc32(kind + content) ^ (not sound)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


ANCILLARY = {
    "a comment that unpacks to megabytes": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**23))),
    "a damaged profile": chunk(b"iCCP", b"no profile"),
    "a wrong checksum": chunk(b"tEXt", b"Title\0x", sound=False),
    "unknown data": chunk(b"prVt", bytes(1000)),
    "thousands of comments": chunk(b"tEXt", b"a\0b") * 5000,
}


@pytest.mark.parametrize("extra", ANCILLARY.values(), ids=ANCILLARY.keys())
def test_what_is_beside_the_picture_refuses_no_picture(extra: bytes) -> None:
    png = encode(draw(), "PNG")
    for at in (33, len(png) - 12):  # behind the header, before the end
        assert np.array_equal(rasterize(Glyph(image=png[:at] + extra + png[at:])), RASTER)


def photograph(width: int, height: int, letter: int) -> Image.Image:
    """Uneven gray paper with a letter of `letter` px on it."""
    y, x = np.mgrid[0:64, 0:64]
    paper = Image.fromarray((150 + x / 2 - y / 2).astype(np.uint8)).resize((width, height))
    if letter:
        corner = np.array([0.6 * width, 0.4 * height])
        shape = [tuple(corner + letter * np.array(at)) for at in ((0, 1), (0.5, 0), (1, 1))]
        ImageDraw.Draw(paper).line(shape, fill=40, width=max(2, letter // 8))
    return paper


def test_a_photo_of_50_megapixels_is_decoded_at_a_reduced_scale() -> None:
    photo = photograph(8160, 6120, 800)
    raster = rasterize(Glyph(image=encode(photo, "JPEG", quality=40)))
    close = rasterize(Glyph(image=encode(photo.crop((4000, 2000, 6600, 3800)), "JPEG")))
    assert np.abs(raster.astype(int) - close).mean() < 12


def test_other_files_of_50_megapixels_are_refused() -> None:
    paper = Image.new("L", (8160, 6120), 200)
    for data in (encode(paper, "JPEG", progressive=True), encode(paper, "PNG")):
        with pytest.raises(InvalidInput, match="or 50,000,000 in a JPEG that is not progressive"):
            rasterize(Glyph(image=data))


def test_a_small_letter_on_a_large_photo_is_found() -> None:
    sharp = rasterize(Glyph(image=encode(photograph(400, 300, 120), "PNG")))
    small = rasterize(Glyph(image=encode(photograph(2000, 1500, 20), "JPEG", quality=95)))
    assert np.abs(small.astype(int) - sharp).mean() < 30


def test_a_large_photo_without_a_visible_letter_says_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="crop closer"):
        rasterize(Glyph(image=encode(photograph(2000, 1500, 0), "JPEG")))
