"""What readers of PDFs find in a file: Poppler's pdftotext, which sorts words by their places, and PDFium, which takes
them as they come.
"""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in points of the page as shown."""
_XHTML = "{http://www.w3.org/1999/xhtml}"


def pdftotext(path: Path, *options: str) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (Debian: poppler-utils) is not installed")
    result = subprocess.run(["pdftotext", *options, path, "-"], capture_output=True, text=True, check=True)
    assert not result.stderr, result.stderr
    return result.stdout


def poppler_words(path: Path, page: int = 1) -> list[tuple[str, Box]]:
    """Return words, with their characters in the order in which they stand, and their boxes."""
    root = ET.fromstring(pdftotext(path, "-bbox", "-f", str(page), "-l", str(page)))
    names = ("xMin", "yMin", "xMax", "yMax")
    return [
        (word.text or "", tuple(float(word.get(name, "nan")) for name in names))  # type: ignore[misc]
        for word in root.iter(f"{_XHTML}word")
    ]


@contextmanager
def pdfium_page(path: Path, page: int = 1) -> Iterator[Any]:
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")
    with closing(pdfium.PdfDocument(path)) as document:
        yield document[page - 1]


def pdfium_text(path: Path, page: int = 1) -> str:
    with pdfium_page(path, page) as loaded:
        return str(loaded.get_textpage().get_text_range()).replace("\r\n", "\n")


def pdfium_find(path: Path, text: str, page: int = 1) -> list[Box]:
    """Return the box of each place where a text is found."""
    with pdfium_page(path, page) as loaded:
        height, textpage, boxes = loaded.get_height(), loaded.get_textpage(), []
        search = textpage.search(text)
        while found := search.get_next():
            rects = [textpage.get_rect(number) for number in range(textpage.count_rects(*found))]
            lefts, bottoms, rights, tops = zip(*rects, strict=True)
            boxes.append((min(lefts), height - max(tops), max(rights), height - min(bottoms)))
        return boxes


def distance(first: Box, second: Box) -> float:
    """Return by how much two boxes differ at most."""
    return max(abs(a - b) for a, b in zip(first, second, strict=True))
