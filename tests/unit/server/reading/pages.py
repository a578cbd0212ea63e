"""Pages of text, drawn by the font that comes with Pillow, and PDFs."""

from __future__ import annotations

import ctypes
import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
from haleganada_server.reading.engines import find_engine
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

PROSE = (
    "the quick brown fox jumps over a lazy dog while many people look at it and wonder what they should think of such "
    "behavior before they go home to their families Perhaps To Read Books About Dogs By Large Fireplaces"
)


def text_of(lines: int, seed: object = 0, words: int = 11) -> list[str]:
    """Lines of words in an order that depends on the seed."""
    dice = random.Random(str(seed))
    return [" ".join(dice.choices(PROSE.split(), k=words)) for _ in range(lines)]


def draw_page(
    lines: Sequence[str],
    size: tuple[int, int] = (1240, 1754),
    at: tuple[int, int] = (120, 150),
    height: int = 28,
    page: Image.Image | None = None,
) -> Image.Image:
    """A page of dark text on white; size: px, A4 at 150 dpi. page: to draw on."""
    page = page or Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(height)
    for number, line in enumerate(lines):
        pen.text((at[0], at[1] + number * round(1.5 * height)), line, fill=(25, 25, 35), font=font)
    return page


def find_font() -> Path:
    """A font with Kannada; the test is skipped where there is none."""
    font = Path("/usr/share/fonts/truetype/lohit-kannada/Lohit-Kannada.ttf")
    if not font.exists():
        pytest.skip("the font Lohit Kannada is not installed")
    return font


def find_kannada_font() -> Path:
    """A font with Kannada; the test is skipped where there is none, or nothing that reads it."""
    font = find_font()
    if "kn" not in find_engine("tesseract").describe().languages:
        pytest.skip("Tesseract with Kannada is not installed")
    return font


def draw_kannada(lines: int, font: Path) -> Image.Image:
    """A page with lines of Kannada, 60 px apart from 50 px on."""
    page = Image.new("RGB", (900, 60 * lines + 100), "white")
    for row in range(lines):
        ImageDraw.Draw(page).text(
            (60, 50 + 60 * row), "ಕನ್ನಡ ಭಾಷೆಯ ಪುಸ್ತಕ ಓದುವ ಜನರು", fill="black", font=ImageFont.truetype(str(font), 34)
        )
    return page


class PdfDraft:
    """A PDF that is being made."""

    def __init__(self, font: Path | None = None) -> None:
        """font: of the text; None = Helvetica."""
        self.pdf = pdfium.PdfDocument.new()
        if font is None:
            self._font = pdfium_c.FPDFText_LoadStandardFont(self.pdf, b"Helvetica")
        else:
            data = font.read_bytes()
            buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
            self._font = pdfium_c.FPDFText_LoadFont(self.pdf, buffer, len(data), pdfium_c.FPDF_FONT_TRUETYPE, True)
        self._pages: list[pdfium.PdfPage] = []

    def add_page(self, width: float = 300, height: float = 400) -> pdfium.PdfPage:
        """A page; width, height: points."""
        self._pages.append(self.pdf.new_page(width, height))
        return self._pages[-1]

    def write(
        self, page: pdfium.PdfPage, text: str, x: float, y: float, size: float = 16, degrees: float = 0, mode: int = 0
    ) -> None:
        """Text whose baseline begins at x, y and rises by `degrees`. mode: 3 = invisible."""
        thing = pdfium_c.FPDFPageObj_CreateTextObj(self.pdf, self._font, size)
        units = (text + "\0").encode("utf-16-le")
        pdfium_c.FPDFText_SetText(thing, (pdfium_c.FPDF_WCHAR * (len(units) // 2)).from_buffer_copy(units))
        pdfium_c.FPDFTextObj_SetTextRenderMode(thing, mode)
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        pdfium_c.FPDFPageObj_Transform(thing, cosine, sine, -sine, cosine, x, y)
        pdfium_c.FPDFPage_InsertObject(page, thing)

    def show(self, page: pdfium.PdfPage, picture: Image.Image, box: tuple[float, float, float, float]) -> None:
        """A picture. box: left, bottom, width, height in points."""
        image = pdfium.PdfImage.new(self.pdf)
        image.set_bitmap(pdfium.PdfBitmap.from_pil(picture))
        left, bottom, width, height = box
        image.set_matrix(pdfium.PdfMatrix(width, 0, 0, height, left, bottom))
        page.insert_obj(image)

    def save(self, path: Path) -> Path:
        for page in self._pages:
            page.gen_content()
            page.close()
        self.pdf.save(path)
        self.pdf.close()
        return path


def write_raw_pdf(path: Path, objects: Sequence[bytes], trailer: bytes = b"") -> Path:
    """A PDF of these objects, numbered from 1; the first one is its catalog. trailer: more entries of it."""
    data, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF" % (size, trailer, len(data))
    path.write_bytes(data + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end)
    return path


def raw_stream(content: bytes, fields: bytes = b"") -> bytes:
    """An object of a PDF with a stream."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), fields, content)


def dark_box(page: Pixels, box: Sequence[float]) -> float:
    """The part of a box of a page (left, top, right, bottom in px) that is dark."""
    left, top, right, bottom = (max(0, round(side)) for side in box)
    return float((page[top:bottom, left:right].min(axis=2) < 128).mean())


def box_of(polygon: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    xs, ys = zip(*polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
