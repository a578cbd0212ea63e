"""Names of folders that mean labels, and the identity of pictures in them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from haleganada_client.cli.files.label_folders import (
    derive_request_id,
    label_of_folder,
    list_label_folders,
    parse_label,
)
from haleganada_client.labeled.image_files import count_other_files, iter_images
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("65", "A"),
        ("3205", "ಅ"),
        ("U+0C95_0CCD", "ಕ್"),
        ("U+0C95 U+0CCD", "ಕ್"),
        ("U+0C95_0CCD_0CB7", "ಕ್ಷ"),
        ("U+1F600", "\U0001f600"),
        ("ಕಿ", "ಕಿ"),
        ("7", "7"),
        ("೧೨", "೧೨"),  # Kannada digits are text
        ("U+XYZ", "U+XYZ"),
        ("U+", "U+"),
        ("a b", "a b"),
        ("CON", "CON"),
    ],
)
def test_folder_names(folder: str, label: str) -> None:
    assert parse_label(folder) == label


@pytest.mark.parametrize("folder", ["U+110000", "U+D800", "55296", "1114112", "9" * 30, "caf\udce9"])
def test_names_that_are_no_label(folder: str) -> None:
    with pytest.raises(ValueError, match="nor a character's number"):
        parse_label(folder)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5))
def test_code_points_name_any_label(label: str) -> None:
    named = parse_label("U+" + "_".join(f"{ord(char):04X}" for char in label))
    assert named == unicodedata.normalize("NFC", label)


@pytest.mark.parametrize("syllable", ["ಕೀ", "ಕೇ", "ಕೈ", "ಕೊ", "ಕೋ", "é"])
def test_both_encodings_of_a_syllable_are_one_label_and_one_lesson(syllable: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, syllable) for form in ("NFC", "NFD"))
    assert composed != decomposed  # macOS stores folder names in the second
    assert parse_label(composed) == parse_label(decomposed) == composed
    assert derive_request_id("1.png", b"x", composed, "") == derive_request_id("1.png", b"x", decomposed, "")


def test_which_files_of_a_folder_count(tmp_path: Path) -> None:
    names = ("ಅ/1.png", "ಅ/writer 2/1.webp", "ಅ/.hidden.png", "ಅ/.trash/2.png", "ಅ/notes.txt", "65/x.JPG", ".git/a.png")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "ಅ/folder.png").mkdir()
    assert [folder.name for folder in list_label_folders(tmp_path)] == ["65", "ಅ"]
    found = [path.relative_to(tmp_path).as_posix() for path in iter_images(tmp_path)]
    assert found == ["65/x.JPG", "ಅ/1.png", "ಅ/writer 2/1.webp"]
    assert count_other_files(tmp_path) == 1  # the notes


def test_a_long_label_as_exports_write_it(tmp_path: Path) -> None:
    for name in ("U+0C95_0CCD_/0CB7", "2024_/ಅ", "U+0C95_/notes"):
        (tmp_path / name).mkdir(parents=True)
    found = {folder.name: label_of_folder(tmp_path, folder) for folder in list_label_folders(tmp_path)}
    assert found == {"0CB7": "ಕ್ಷ", "2024_": "2024_", "U+0C95_": "U+0C95_"}


def test_a_lesson_is_known_by_its_file_and_what_it_teaches() -> None:
    lesson = ("1.png", b"x", "ಕಿ", "ಕ")
    others = [("2.png", b"x", "ಕಿ", "ಕ"), ("1.png", b"y", "ಕಿ", "ಕ"), ("1.png", b"x", "ಕೀ", "ಕ"), ("1.png", b"x", "ಕಿ", "")]
    assert derive_request_id(*lesson) == derive_request_id(*lesson)
    assert len({derive_request_id(*one) for one in [lesson, *others]}) == 5
    assert len(derive_request_id(*lesson)) <= 64  # the contract's limit
    assert derive_request_id("caf\udce9.png", b"x", "a", "")  # a file name that is not UTF-8
