"""Pages that are rendered with a font, so that each akshara's box and label are known."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from haleganada_server.core.reading.graphemes import split_graphemes
from PIL import Image, ImageDraw, ImageFont

from tests.bench.taught.pages import LINE, MARGIN, WIDTH, ComposedPage, Gray, Truth, print_on

_FONTS = Path("/usr/share/fonts/truetype")
_SIZE = 48  # px
_FIRST, _LAST = "\u0c80", "\u0cff"  # of the Kannada block


def find_fonts() -> list[Path]:
    """Return the Kannada fonts of this machine."""
    names = ("lohit-kannada/Lohit-Kannada", "noto/NotoSerifKannada-Regular", "Gubbi/Gubbi", "Navilu/Navilu")
    return [path for name in names if (path := _FONTS / f"{name}.ttf").exists()]


def load_words(data: Path) -> list[str]:
    """Return Kannada words as they follow each other in books, without digits and punctuation."""
    with zipfile.ZipFile(data / "mile_kannada" / "lines.zip") as file:
        table = io.StringIO(file.read("lines.tsv").decode("utf-8"))
    words = [word for row in csv.DictReader(table, delimiter="\t") for word in row["text"].split()]
    return [word for word in words if all(_FIRST <= letter <= _LAST and not letter.isdigit() for letter in word)]


def compose_printed(font: Path, words: list[str], glyphs: int, paper: Gray | None) -> ComposedPage:
    """Print words until there are so many aksharas."""
    face = ImageFont.truetype(str(font), _SIZE, layout_engine=ImageFont.Layout.RAQM)
    truth: list[Truth] = []
    places: list[tuple[int, int, str]] = []
    left, line = MARGIN, 0
    for word in words:
        if len(truth) >= glyphs:
            break
        if left + face.getlength(word) > WIDTH - MARGIN:
            left, line = MARGIN, line + 1
        top = MARGIN + line * LINE
        places.append((left, top, word))
        truth += _find_aksharas(face, word, left, top, line)
        left += round(face.getlength(word) + 0.4 * _SIZE)
    drawn = Image.new("L", (WIDTH, 2 * MARGIN + (line + 1) * LINE), 0)
    pen = ImageDraw.Draw(drawn)
    for x, y, word in places:
        pen.text((x, y), word, font=face, fill=255)
    return ComposedPage(print_on(np.asarray(drawn, np.uint8), paper), truth)


def _find_aksharas(face: ImageFont.FreeTypeFont, word: str, left: int, top: int, line: int) -> Iterator[Truth]:
    before = ""
    for akshara in split_graphemes(word):
        alone = Image.new("L", (6 * _SIZE, 3 * _SIZE), 0)
        ImageDraw.Draw(alone).text((_SIZE, _SIZE), akshara, font=face, fill=255)
        x0, y0, x1, y1 = alone.getbbox() or (0, 0, 0, 0)
        x, y = left + round(face.getlength(before)) - _SIZE, top - _SIZE
        yield Truth(akshara, (x + x0, y + y0, x + x1, y + y1), line)
        before += akshara
