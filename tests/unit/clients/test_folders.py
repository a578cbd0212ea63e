"""Names of folders that mean labels, and the identity of pictures in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from haleganada_client.cli.folders import images_in, label_of, labelled_images, request_id
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("65", "A"),
        ("3205", "ಅ"),
        ("U+0C95_0CCD", "ಕ್"),
        ("U+0C95 U+0CCD", "ಕ್"),
        ("ಕಿ", "ಕಿ"),
        ("7", "7"),
        ("U+XYZ", "U+XYZ"),
        ("a b", "a b"),
    ],
)
def test_folder_names(folder: str, label: str) -> None:
    assert label_of(folder) == label


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5))
def test_code_points_name_any_label(label: str) -> None:
    assert label_of("U+" + "_".join(f"{ord(char):04X}" for char in label)) == label


def test_a_folder_of_labelled_images(tmp_path: Path) -> None:
    for name in ("ಅ/1.png", "ಅ/.hidden.png", "ಅ/notes.txt", "65/x.JPG", ".git/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [(path.name, label) for path, label in labelled_images(tmp_path)] == [("x.JPG", "A"), ("1.png", "ಅ")]
    assert [path.name for path in images_in(tmp_path / "65")] == ["x.JPG"]


def test_the_same_picture_has_the_same_request_id() -> None:
    assert request_id(b"x", "a") == request_id(b"x", "a")
    assert len({request_id(b"x", "a"), request_id(b"x", "b"), request_id(b"y", "a")}) == 3
    assert len(request_id(b"x", "a")) <= 64
