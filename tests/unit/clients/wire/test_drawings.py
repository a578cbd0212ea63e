"""Drawings in all the forms in which programs hold them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada.v1 import common_pb2
from haleganada_client import InvalidInput, WrongType, types
from haleganada_client.wire.drawings import pack_drawing
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

number = st.floats(width=32, allow_nan=False, allow_infinity=False)
axis = st.lists(number, min_size=1, max_size=5).map(tuple)
strokes = st.builds(types.Stroke, axis, axis, st.one_of(st.just(()), axis), st.one_of(st.just(()), axis))
inks = st.builds(types.Ink, st.lists(strokes, min_size=1, max_size=4).map(tuple), number, number, number)


@given(inks)
def test_strokes_arrive_as_they_were_drawn(ink: types.Ink) -> None:
    sent = common_pb2.Glyph.FromString(pack_drawing(ink).SerializeToString()).ink
    arrived = types.Ink(
        tuple(types.Stroke(tuple(s.x), tuple(s.y), tuple(s.time_ms), tuple(s.pressure)) for s in sent.strokes),
        sent.width,
        sent.height,
        sent.pen_width,
    )
    assert arrived == ink


def test_a_picture_is_its_bytes_or_the_path_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    assert [pack_drawing(drawing).image for drawing in (b"picture", path, str(path))] == [b"picture"] * 3


def pixels(image: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(image)))


GREY = np.arange(35 * 20, dtype=np.uint8).reshape(35, 20)
COLOR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (GREY, GREY),
        (GREY.astype(np.int64), GREY),
        (GREY / 255, GREY),
        (GREY.astype(np.float32), GREY),
        (GREY > 100, np.where(GREY > 100, 255, 0)),
        (GREY[::2, ::-1], GREY[::2, ::-1]),
        (GREY[..., None], GREY),
        (COLOR, COLOR),
        (np.dstack([COLOR, GREY]), np.dstack([COLOR, GREY])),
    ],
)
def test_arrays_arrive_as_the_pictures_that_they_are(array: Any, expected: Any) -> None:
    assert np.array_equal(pixels(pack_drawing(array).image), expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "PA", "RGBa"])
def test_images_of_every_mode_arrive_unchanged(mode: str) -> None:
    image = Image.fromarray(COLOR).convert("RGBA" if mode in ("RGBa", "PA") else "RGB").convert(mode)
    sent = Image.open(io.BytesIO(pack_drawing(image).image))
    assert sent.convert("RGB").tobytes() == image.convert("RGBA" if "a" in mode else mode).convert("RGB").tobytes()


def test_open_files_and_other_bytes_are_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    with path.open("rb") as file:
        assert pack_drawing(file).image == b"picture"
    for drawing in (bytearray(b"picture"), memoryview(b"picture"), io.BytesIO(b"picture")):
        assert pack_drawing(drawing).image == b"picture"


def test_lists_of_points_are_strokes() -> None:
    drawing: Any = [[(30, 10), (50, 40)], np.array([[40.0, 10.0]]), types.Stroke((30.0,), (20.0,), (5.0,))]
    ink = pack_drawing(drawing).ink
    assert [(list(s.x), list(s.y), list(s.time_ms)) for s in ink.strokes] == [
        ([0, 20], [0, 30], []),
        ([10], [0], []),
        ([0], [10], [5]),
    ]
    assert (ink.width, ink.height) == (30, 30)
    assert pack_drawing([[(7, 7)]]).ink.width == 1
    same: Any = [{"x": [30, 50], "y": [10, 40]}]
    assert pack_drawing(same).ink == pack_drawing([[(30, 10), (50, 40)]]).ink


@pytest.mark.parametrize(
    "drawing",
    [
        [],
        [[]],
        [[1, 2]],
        [[(1, 2, 3)]],
        [["ab"]],
        [5],
        [[1, 2, 3], [4, 5, 6]],
        np.zeros((3, 5, 7)),
        np.zeros(5),
        np.zeros((0, 5)),
        np.full((3, 3), np.nan),
        np.full((3, 3), 256),
        np.array([["a"]]),
        io.StringIO("text"),
        types.Ink((types.Stroke(("a",), (1.0,)),), 1, 1),  # type: ignore[arg-type]
        types.Ink((5,), 1, 1),  # type: ignore[arg-type]
    ],
    ids=lambda drawing: repr(drawing).split(" at 0x")[0],
)
def test_what_is_no_drawing_is_refused(drawing: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^drawing") as refusal:
        pack_drawing(drawing)
    assert refusal.value.field.startswith("drawing")


@pytest.mark.parametrize("drawing", [None, 5, 1.5, {"x": 1}, {1, 2}, object()])
def test_what_is_of_no_type_of_drawings_is_a_type_error(drawing: Any) -> None:
    with pytest.raises(WrongType, match=r"^drawing: must be a picture"):
        pack_drawing(drawing)
