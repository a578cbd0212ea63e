"""Characters found by their ink, and what counts as one character of a text."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.reading.graphemes import split_graphemes
from haleganada_server.reading.layout.segmentation import find_characters, find_words
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray


def draw(*boxes: tuple[int, int, int, int], paper: int = 240, ink: int = 20) -> NDArray[np.uint8]:
    picture = np.full((40, 120, 3), paper, np.uint8)
    for left, top, right, bottom in boxes:
        picture[top:bottom, left:right] = ink
    return picture


@pytest.mark.parametrize(("paper", "ink"), [(240, 20), (20, 240), (150, 110)])
def test_characters_come_from_left_to_right(paper: int, ink: int) -> None:
    boxes = [(60, 5, 75, 35), (10, 10, 25, 35), (30, 10, 50, 35)]
    assert find_characters(draw(*boxes, paper=paper, ink=ink)) == sorted(boxes)


def test_pieces_above_each_other_are_one_character() -> None:
    letter_i, wide = [(10, 14, 14, 35), (10, 5, 14, 9)], [(30, 12, 60, 26), (28, 29, 44, 38), (46, 2, 58, 8)]
    assert find_characters(draw(*letter_i, *wide)) == [(10, 5, 14, 35), (28, 2, 60, 38)]


def test_pieces_that_touch_one_column_stay_apart() -> None:
    slanted = [(10, 5, 30, 20), (28, 22, 50, 36)]
    assert find_characters(draw(*slanted)) == slanted


def test_specks_are_no_characters() -> None:
    assert find_characters(draw((10, 10, 25, 35), (80, 3, 81, 4))) == [(10, 10, 25, 35)]


def test_wider_gaps_part_words() -> None:
    first, second = [(5, 10, 15, 35), (18, 5, 28, 35), (31, 10, 41, 35)], [(58, 10, 68, 38), (70, 10, 84, 35)]
    assert find_words(draw(*first, *second)) == [(5, 5, 41, 35), (58, 10, 84, 38)]


def test_letters_that_stand_close_are_one_word() -> None:
    assert find_words(draw((5, 10, 15, 35), (18, 10, 28, 35), (31, 10, 41, 35))) == [(5, 10, 41, 35)]


PAPER = np.random.default_rng(3).normal(200, 6, (40, 120, 1)).repeat(3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("picture", [draw(), np.zeros((1, 1, 3), np.uint8), PAPER], ids=["white", "a pixel", "paper"])
def test_an_empty_picture_has_none(picture: NDArray[np.uint8]) -> None:
    assert find_characters(picture) == find_words(picture) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", ["a", "b", "c"]),
        ("nai\u0308ve", ["n", "a", "i\u0308", "v", "e"]),
        ("ಕ್ಷಮೆ", ["ಕ್ಷ", "ಮೆ"]),
        ("ನಮಸ್ಕಾರ", ["ನ", "ಮ", "ಸ್ಕಾ", "ರ"]),
        ("ಕನ್ನಡದಲ್ಲಿ", ["ಕ", "ನ್ನ", "ಡ", "ದ", "ಲ್ಲಿ"]),
        ("ರಾಜ್‌ಕುಮಾರ್", ["ರಾ", "ಜ್‌ಕು", "ಮಾ", "ರ್"]),
        ("ಕ್ 1", ["ಕ್", " ", "1"]),
        ("", []),
    ],
)
def test_graphemes(text: str, expected: list[str]) -> None:
    assert split_graphemes(text) == expected


@given(st.text())
def test_graphemes_lose_nothing(text: str) -> None:
    assert "".join(split_graphemes(text)) == text
