"""Visible text on a scan that is not the text of the page: stamps of libraries, numbers of pages.

Programs find it as it is, so the page can stay as it is, too; only what was read of it must not be added once more.
"""

from __future__ import annotations

import ctypes
from contextlib import closing
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from haleganada_server.core.reading.page import PageReading

_MOST = 200  # characters of a stamp
_LOOKED_AT = 20_000  # characters, most of them the invisible ones of a scan
_PART = 0.5  # of all characters that were read on the page, which a stamp is at most


def find_stamp(document: Path, page: PageReading) -> NDArray[np.float64] | None:
    """Return where the visible characters of a page are, (n, 2) in the PDF's coordinates; None if they are more than
    stamps have.
    """
    read = sum(not character.isspace() for line in page.lines for character in line.text)
    with (
        closing(pdfium.PdfDocument(document)) as pdf,
        closing(pdf[page.page - 1]) as loaded,
        closing(loaded.get_textpage()) as text,
    ):
        numbers = range(min(text.count_chars(), _LOOKED_AT))
        places = [_center(text, number) for number in numbers if _is_visible(text, number)]
    if len(places) > min(_MOST, _PART * read):
        return None
    return np.array(places, np.float64).reshape(-1, 2)


def _is_visible(text: pdfium.PdfTextPage, number: int) -> bool:
    """Return whether a character can be seen; spaces cannot, nor what PDFium has added."""
    owner = pdfium_c.FPDFText_GetTextObject(text, number)
    if not owner or chr(pdfium_c.FPDFText_GetUnicode(text, number)).isspace():
        return False
    return bool(pdfium_c.FPDFTextObj_GetTextRenderMode(owner) != pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE)


def _center(text: pdfium.PdfTextPage, number: int) -> tuple[float, float]:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium_c.FPDFText_GetCharBox(text, number, left, right, bottom, top)
    return (left.value + right.value) / 2, (bottom.value + top.value) / 2
