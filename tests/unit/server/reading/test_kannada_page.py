"""A page of Kannada print that slopes, in uneven light, is read by itself: no part of it by an engine that does not
know the script, and no line twice.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import pytest
from haleganada_server.core.reading.options import ReadOptions
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.engines import find_engine
from haleganada_server.reading.page_reader import read_page
from PIL import features

from tests.e2e.web.screenshots.reading import KANNADA, LETTERS, draw_letter

NAME, (_, TEXT) = next((name, letter) for name, letter in LETTERS.items() if letter[0] == KANNADA)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    if "kn" not in find_engine("tesseract").describe().languages:
        pytest.skip("Tesseract with Kannada is not installed")
    if not KANNADA.exists() or not features.check("raqm"):
        pytest.skip("there is no Kannada font, or Pillow cannot shape it")
    return draw_letter(tmp_path / "letter.jpg", KANNADA, TEXT)


def test_all_lines_are_read_once_by_the_engine_that_knows_the_script(letter: Path) -> None:
    document = open_document(letter)

    reading = read_page(document, 1, ReadOptions())

    lines = [line for line in TEXT.splitlines() if line]
    assert {line.engine for line in reading.lines} <= {"kannada-print", "tesseract"}
    assert len(reading.lines) == len(lines)
    likeness = SequenceMatcher(None, "\n".join(lines), "\n".join(line.text for line in reading.lines)).ratio()
    assert likeness > 0.9
