"""Labels are shaped if a font covers them, else drawn as code points."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.training.common.lettering import Lettering
from haleganada_server.training.evaluation.sheet import Sheet
from PIL import Image, ImageDraw, features

UNCOVERED = "\U0010ffe0\U0010ffe1"  # the end of the last plane: fonts of symbols cover private use elsewhere


def ink(lettering: Lettering, text: str, size: int = 40, width: float = 0) -> np.ndarray:
    """Return the drawn text, (rows, columns) bool, cropped to its ink."""
    image = Image.new("RGB", (600, 160))
    lettering.draw(ImageDraw.Draw(image), (20, 80), text, size, (255, 255, 255), "lm", width)
    shown = np.asarray(image.convert("L")) > 60
    rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
    return np.asarray(shown[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def kannada(*labels: str) -> Lettering:
    """Return lettering for Kannada labels; skip the test where fonts or shaping are missing."""
    lettering = Lettering.for_labels(labels)
    if lettering.missing:
        pytest.skip("no font with Kannada is installed")
    if not features.check("raqm"):
        pytest.skip("libraqm does not work here, because libfribidi is not installed")
    return lettering


def test_plain_text_needs_no_installed_font() -> None:
    lettering = Lettering.for_labels(["a", "7", "ß", "й", "ω"])
    assert (lettering.fonts, lettering.missing) == ({}, ())


def test_a_conjunct_is_one_shape() -> None:
    lettering = kannada("ಕ", "ಷ", "ಕ್ಷ")
    conjunct, apart = ink(lettering, "ಕ್ಷ"), ink(lettering, "ಕ").shape[1] + ink(lettering, "ಷ").shape[1]
    assert conjunct.shape[1] < 0.8 * apart
    assert conjunct.shape[0] > 1.2 * ink(lettering, "ಕ").shape[0]


def test_a_joiner_needs_no_glyph() -> None:
    lettering = kannada("ಕ್‌ಷ", "ರ‍್ಕ")
    assert set(lettering.fonts) == {"ಕ್‌ಷ", "ರ‍್ಕ"}


def test_a_label_without_a_font_shows_its_code_points() -> None:
    lettering = Lettering.for_labels(["a", UNCOVERED])
    assert lettering.missing == (UNCOVERED,)
    assert np.array_equal(ink(lettering, UNCOVERED, 40), ink(lettering, "U+10FFE0 U+10FFE1", 24))


def test_text_stays_within_its_width() -> None:
    lettering = Lettering.for_labels([])
    for text in ("w", "a word", "a long sentence that does not fit anywhere"):
        assert ink(lettering, text, 30, 90).shape[1] <= 92


def test_labels_are_centered_by_their_ink() -> None:
    lettering = kannada("ಕ್ಷ್ಮೀ")
    sheet = Sheet(300, 300, lettering, ("t",), "s")
    sheet.draw_text((150, 200), "ಕ್ಷ್ಮೀ", 40, anchor="mm")
    rows = np.flatnonzero((np.asarray(sheet.image.convert("L"))[120:] < 120).any(1)) + 120
    assert abs((rows[0] + rows[-1]) / 2 - 200) <= 1.5
