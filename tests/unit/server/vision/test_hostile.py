"""Arbitrary bytes and numbers: they give InvalidInput with the field and what to do, or a raster, and nothing else."""

from __future__ import annotations

import base64
import resource
import struct
import sys
import time
import zlib

import numpy as np
import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.vision import ImageLimits, rasterize, rasterize_gray
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile

from tests.unit.server.vision.drawings import (
    coverage,
    encode_image,
    letter,
    likeness,
    mix_gray,
    photo,
    stroke,
    transparent,
)

_IMAGE = mix_gray(coverage(letter(), 96))
_FILES = {
    "PNG": encode_image(_IMAGE),
    "JPEG": encode_image(_IMAGE, "JPEG"),
    "progressive": encode_image(_IMAGE, "JPEG", progressive=True),
    "WEBP": encode_image(_IMAGE.convert("RGB"), "WEBP"),
    "lossless": encode_image(_IMAGE.convert("RGB"), "WEBP", lossless=True),
    "alpha": encode_image(transparent(coverage(letter(), 96)), "WEBP"),
}
_STARTS = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x40\x00\x00\x00WEBPVP8 ", b"GIF89a", b"BM", b"%PDF")


def refusal(glyph: Glyph, limits: ImageLimits | None = None) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        rasterize(glyph, limits) if limits else rasterize(glyph)
    return caught.value


def ink(*strokes: Stroke, width: float = 100.0, height: float = 100.0, pen: float = 0.0) -> Glyph:
    return Glyph(ink=Ink(strokes, width, height, pen))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """Return a small PNG of side x side white pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\x00" + b"\xff" * (3 * side)) for _ in range(min(side, 500))) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def memory_peak() -> int:
    """Return the peak memory of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@given(start=st.sampled_from(_STARTS), rest=st.binary(max_size=200))
@example(b"", b"")
def test_garbage(start: bytes, rest: bytes) -> None:
    assert refusal(Glyph(image=start + rest)).field == "glyph.image"


@pytest.mark.parametrize("kind", _FILES)
def test_base64_that_nobody_decoded_is_told_from_other_files(kind: str) -> None:
    assert "not base64" in refusal(Glyph(image=base64.b64encode(_FILES[kind]))).description
    assert "base64" not in refusal(Glyph(image=b"GIF89a")).description


@pytest.mark.parametrize("kind", _FILES)
def test_cut_off_anywhere(kind: str) -> None:
    data = _FILES[kind]
    rasterize(Glyph(image=data))
    for end in {*range(0, len(data), max(1, len(data) // 150)), *range(len(data) - 8, len(data))}:
        assert refusal(Glyph(image=data[:end])).field == "glyph.image", end


@given(
    kind=st.sampled_from(sorted(_FILES)), changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6)
)
def test_damaged_files_are_read_or_refused(kind: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray(_FILES[kind])
    for where, value in changes:
        data[int(where * (len(data) - 1))] = value
    try:
        assert rasterize(Glyph(image=bytes(data))).shape == (128, 128)
    except InvalidInput as error:
        assert error.field == "glyph.image"


def test_a_bomb_is_refused_by_its_header() -> None:
    data = bomb(30_000)
    assert len(data) < 100_000
    before, start = memory_peak(), time.perf_counter()
    assert "30000 x 30000" in refusal(Glyph(image=data)).description
    assert time.perf_counter() - start < 0.5
    assert memory_peak() - before < 20 * 2**20


@pytest.mark.parametrize("size", [(16_000_000, 1), (1, 16_000_000), (65_536, 2)])
@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_an_endless_strip_is_refused_by_its_header(size: tuple[int, int], mode: str) -> None:
    """A decoder needs seconds, and 200 MB, for millions of rows."""
    kind = {"L": 0, "RGBA": 6}[mode]
    header = struct.pack(">IIBBBBB", *size, 8, kind, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    before, start = memory_peak(), time.process_time()
    assert "65,535 are allowed on a side" in refusal(Glyph(image=data)).description
    assert time.process_time() - start < 0.5
    assert memory_peak() - before < 20 * 2**20
    if size[0] * size[1] <= 2**24:
        with pytest.raises(InvalidInput, match="65,535"):
            rasterize_gray(np.zeros(size[::-1], np.uint8))


@pytest.mark.parametrize("size", [(65_535, 200), (200, 65_535)])
def test_the_longest_strips_are_read(size: tuple[int, int]) -> None:
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).line([(0.1 * size[0], 0.1 * size[1]), (0.9 * size[0], 0.9 * size[1])], 0, 8)
    start = time.process_time()
    assert rasterize(Glyph(image=encode_image(image))).max() > 127
    assert time.process_time() - start < 20


@pytest.mark.parametrize("kind", ["VP8X", "VP8L", "VP8 "])
def test_a_large_webp_is_refused_by_its_header(kind: str) -> None:
    size = {
        "VP8X": b"\x00\x00\x00\x00" + (16_382).to_bytes(3, "little") * 2,
        "VP8L": b"\x2f" + (16_382 | 16_382 << 14).to_bytes(4, "little"),
        "VP8 ": b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383),
    }[kind]
    body = kind.encode() + struct.pack("<I", len(size)) + size + b"\x00" * 20
    data = b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    assert "16383 x 16383" in refusal(Glyph(image=data)).description


def test_two_headers_that_disagree_are_refused() -> None:
    small, other = (struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0) for side in (10, 20))
    pixels = chunk(b"IDAT", zlib.compress(bytes(20 * 21)))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", small) + chunk(b"IHDR", other) + pixels + chunk(b"IEND", b"")
    assert refusal(Glyph(image=data)).field == "glyph.image"


def test_the_limits_of_a_configuration() -> None:
    data = _FILES["PNG"]
    assert "bytes" in refusal(Glyph(image=data), ImageLimits(max_bytes=len(data) - 1)).description
    assert "pixels" in refusal(Glyph(image=data), ImageLimits(max_pixels=96 * 96 - 1)).description
    rasterize(Glyph(image=data), ImageLimits(max_bytes=len(data), max_pixels=96 * 96))


def test_an_endless_row_of_parts_is_refused_at_once() -> None:
    png = _FILES["PNG"]
    chunks = png[:33] + chunk(b"tEXt", b"") * 600_000 + png[33:]
    segments = b"\xff\xd8" + b"\xff\xe5\x00\x02" * 2_000_000 + _FILES["JPEG"][2:]
    scans = _FILES["progressive"][:-2] + b"\xff\xda" * 5000 + b"\xff\xd9"
    for data in (chunks, segments, scans):
        start = time.process_time()
        refusal(Glyph(image=data))
        assert time.process_time() - start < 0.5


def test_animations_are_refused() -> None:
    frames = [_IMAGE.convert("RGB"), Image.new("RGB", _IMAGE.size, "white")]
    for kind in ("PNG", "WEBP"):
        data = encode_image(frames[0], kind, save_all=True, append_images=frames[1:])
        assert "animated" in refusal(Glyph(image=data)).description


def test_a_phones_jpeg_with_a_second_picture_behind_it_is_read() -> None:
    """HDR photos carry a gain map as a second JPEG; Pillow calls such a file MPO."""
    data = encode_image(_IMAGE.convert("RGB"), "MPO", save_all=True, append_images=[Image.new("RGB", (24, 24))])
    assert likeness(rasterize(Glyph(image=data)), rasterize(Glyph(image=_FILES["PNG"]))).within(0.02, 0.85)


@pytest.mark.parametrize("tone", [0, 128, 255])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_blank_pictures_are_refused(tone: int, kind: str) -> None:
    assert (
        "no drawing" in refusal(Glyph(image=encode_image(Image.new("RGB", (280, 280), (tone,) * 3), kind))).description
    )


def test_transparent_and_tiny_blank_pictures_are_refused() -> None:
    for image in (
        Image.new("RGBA", (280, 280)),
        Image.new("LA", (9, 9)),
        Image.new("L", (1, 1)),
        Image.new("1", (2, 1)),
    ):
        refusal(Glyph(image=encode_image(image)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", [1.0, 5.0, 12.0, 20.0])
@pytest.mark.parametrize("paper", [90.0, 215.0])
def test_a_photo_of_blank_paper_is_refused(seed: int, noise: float, paper: float) -> None:
    image = photo(np.zeros((600, 600)), seed, noise=noise, paper=paper)
    assert "no drawing" in refusal(Glyph(image=encode_image(image, "JPEG", quality=80))).description


def test_pillows_global_switches_are_left_alone() -> None:
    rasterize(Glyph(image=_FILES["PNG"]))
    assert Image.MAX_IMAGE_PIXELS == 89_478_485
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize(
    ("glyph", "field"),
    [
        (Glyph(), "glyph"),
        (Glyph(image=b""), "glyph.image"),
        (ink(), "glyph.ink.strokes"),
        (ink(Stroke((), ())), "glyph.ink.strokes[0].x"),
        (ink(stroke((1, 1)), Stroke((1.0,), (1.0, 2.0))), "glyph.ink.strokes[1].y"),
        (ink(Stroke((1.0,), (1.0,), (1.0, 2.0))), "glyph.ink.strokes[0].time_ms"),
        (ink(Stroke((1.0,), (1.0,), (), (0.1, 0.2))), "glyph.ink.strokes[0].pressure"),
        (ink(Stroke((1.0,), (1.0,), (), (float("nan"),))), "glyph.ink.strokes[0].pressure"),
        (ink(Stroke((1.0,), (1.0,), (float("inf"),))), "glyph.ink.strokes[0].time_ms"),
        (ink(stroke((1, 1)), stroke((float("nan"), 1))), "glyph.ink.strokes[1].x"),
        (ink(stroke((1, float("-inf")))), "glyph.ink.strokes[0].y"),
        (ink(stroke((1, 1e8))), "glyph.ink.strokes[0].y"),
        (ink(stroke((1, 1)), width=0.0), "glyph.ink.width"),
        (ink(stroke((1, 1)), width=float("nan")), "glyph.ink.width"),
        (ink(stroke((1, 1)), height=-5.0), "glyph.ink.height"),
        (ink(stroke((1, 1)), pen=-1.0), "glyph.ink.pen_width"),
        (ink(stroke((1, 1)), pen=float("inf")), "glyph.ink.pen_width"),
        (ink(*[stroke((1, 1))] * 1001), "glyph.ink.strokes"),
        (ink(Stroke((1.0,) * 100_001, (1.0,) * 100_001)), "glyph.ink.strokes"),
    ],
)
def test_the_field_that_is_wrong_is_named(glyph: Glyph, field: str) -> None:
    error = refusal(glyph)
    assert error.field == field
    assert len(error.description) > 10


finite = st.floats(-1e7, 1e7)


@given(
    lines=st.lists(st.lists(st.tuples(finite, finite), min_size=1, max_size=8), min_size=1, max_size=4),
    width=st.floats(1e-6, 1e7),
    height=st.floats(1e-6, 1e7),
    pen=st.just(0.0) | st.floats(1e-6, 1e7),
)
def test_any_strokes_within_the_limits_give_a_raster(
    lines: list[list[tuple[float, float]]], width: float, height: float, pen: float
) -> None:
    raster = rasterize(ink(*(stroke(*line) for line in lines), width=width, height=height, pen=pen))
    assert raster.shape == (128, 128)
    assert raster.max() > 127
    assert raster[:8].max() == raster[-8:].max() == raster[:, :8].max() == raster[:, -8:].max() == 0


def test_as_many_points_as_are_allowed() -> None:
    points = np.random.default_rng(0).uniform(0, 100, (100_000, 2))
    start = time.process_time()
    rasterize(ink(Stroke(tuple(points[:, 0].tolist()), tuple(points[:, 1].tolist()))))
    assert time.process_time() - start < 5
