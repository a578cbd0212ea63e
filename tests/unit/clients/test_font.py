"""Labels are drawn in a font as text programs show them, or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from haleganada_client.errors import InvalidInput
from haleganada_client.labeled.font import draw_labels, read_characters

FONT = Path("/usr/share/fonts/truetype/lohit-kannada/Lohit-Kannada.ttf")
needs_font = pytest.mark.skipif(not FONT.exists(), reason="the font Lohit Kannada is not installed")


def rows_of(picture: memoryview) -> list[list[int]]:
    data, (height, width) = picture.tobytes(), picture.shape or (0, 0)
    return [list(data[row * width : (row + 1) * width]) for row in range(height)]


def width(picture: memoryview) -> int:
    """Return the width of the ink in px."""
    columns = list(zip(*rows_of(picture), strict=True))
    inked = [number for number, column in enumerate(columns) if min(column) < 128]
    return inked[-1] - inked[0] + 1


@needs_font
def test_labels_are_shaped() -> None:
    ka, ki, subjoined, twice = draw_labels(FONT, ["ಕ", "ಕಿ", "ಕ್ಕ", "ಕಕ"])
    assert width(ki) < 1.2 * width(ka), "the vowel sign joins its letter"
    assert len(rows_of(subjoined)) > 1.2 * len(rows_of(twice)) and width(subjoined) < 0.8 * width(twice), (
        "one below the other"
    )
    assert all(row[0] == 255 for row in rows_of(ka)) and min(map(min, rows_of(ka))) == 0, "ink within a margin"


@needs_font
def test_a_vowel_sign_alone_gets_no_dotted_circle() -> None:
    sign, letter_and_sign = draw_labels(FONT, ["ಾ", "ಕಾ"])
    assert width(sign) < 0.8 * width(letter_and_sign)


@needs_font
def test_what_a_font_lacks_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"漢 \(U\+6F22\), ಕ漢 \(U\+0C95 U\+6F22\); leave them out"):
        draw_labels(FONT, ["ಕ", "漢", "ಕ漢"])
    with pytest.raises(InvalidInput, match="and 12 more"):
        draw_labels(FONT, [chr(0x6F22 + i) for i in range(20)])


def test_files_that_are_no_fonts(tmp_path: Path) -> None:
    (tmp_path / "no.ttf").write_bytes(b"no font")
    with pytest.raises(InvalidInput, match=r"no\.ttf is not a font"):
        draw_labels(tmp_path / "no.ttf", ["a"])


def test_characters(tmp_path: Path) -> None:
    file = tmp_path / "letters.txt"
    file.write_text("\ufeffಅ ಆ\n\nಕ್ಕ  ಅ\t", encoding="utf-8")
    assert read_characters(file) == ["ಅ", "ಆ", "ಕ್ಕ"]
    file.write_text(" \n")
    with pytest.raises(InvalidInput, match="has no labels"):
        read_characters(file)
    file.write_bytes("ಅ".encode("utf-16"))
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_characters(file)
