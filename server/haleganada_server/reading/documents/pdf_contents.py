"""What is on a page of a PDF, and how large it is drawn.

Text and lines are drawn at 300 dpi. A page that is one scan, perhaps with invisible text over it, is drawn at the
scan's own resolution: its pixels then come out as they are, neither blurred nor thrown away.
"""

from __future__ import annotations

import ctypes
import itertools
import math
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from haleganada_server.core.limits import MAX_PAGE_PIXELS

from .faults import too_many_pixels, unreadable_page

_POINTS = 72.0  # per inch
_DRAWN_DPI = 300.0
_SCAN_DPI = (100.0, 600.0)
_COVERED = 0.8
"""Part of the page that a scan covers at least, perhaps in strips or layers."""
_LARGE = 0.02
"""Part of the page from which on a picture can be part of a scan; a logo is smaller."""
_MAX_OBJECTS = 2_000
"""Looked at on a page. A scan is among the first few."""
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class PageContents:
    """width, height: px at which to draw the page. is_scan: whether pictures cover it. has_hidden_text: whether it has
    text that is not drawn, as recognized text behind a scan is not.
    """

    width: int
    height: int
    is_scan: bool
    has_hidden_text: bool


def look_at_page(page: pdfium.PdfPage, number: int) -> PageContents:
    """Look at what is on a page without decoding any of it.

    Raises Precondition if it has no size, and Exhausted if a picture on it is too large to be decoded.
    """
    width, height = page.get_size()
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise unreadable_page(number, "has no size; print the document to a new PDF")
    things = _count_things(page, number, width * height)
    is_scan = things.dpi is not None and things.covered >= _COVERED
    dpi = _DRAWN_DPI
    if things.dpi is not None and is_scan:
        dpi = min(max(things.dpi, _SCAN_DPI[0]), _SCAN_DPI[1])
        dpi = max(dpi, _DRAWN_DPI) if things.is_drawn else dpi
    scale = min(dpi / _POINTS, math.sqrt(MAX_PAGE_PIXELS / (width * height)))
    return PageContents(*_fit(width * scale, height * scale), is_scan, things.has_hidden_text)


def _fit(width: float, height: float) -> tuple[int, int]:
    """Round to whole px, at least 1 and not more than allowed in all."""
    columns, rows = max(1, round(width)), max(1, round(height))
    if columns >= rows:
        return min(columns, MAX_PAGE_PIXELS // rows), rows
    return columns, min(rows, MAX_PAGE_PIXELS // columns)


@dataclass(slots=True)
class _Things:
    """dpi: of the finest picture, None without one. covered: part of the page under pictures; layers count twice.
    is_drawn: whether there is visible text, or anything else that has no pixels of its own.
    """

    dpi: float | None = None
    covered: float = 0.0
    is_drawn: bool = False
    has_hidden_text: bool = False


def _count_things(page: pdfium.PdfPage, number: int, area: float) -> _Things:
    """area: of the page, in square points."""
    things = _Things()
    for thing in itertools.islice(page.get_objects(max_depth=_MAX_DEPTH), _MAX_OBJECTS):
        if thing.type == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            columns, rows = _read_pixels(thing)
            if columns * rows > MAX_PAGE_PIXELS:
                raise too_many_pixels(number)
            if thing.level == 0:  # the size of one inside a form is not in points of the page
                width, height = _measure(thing)
                things.covered += width * height / area
                if width * height > _LARGE * area:
                    things.dpi = max(things.dpi or 0.0, _POINTS * max(columns / width, rows / height))
        elif thing.type == pdfium_c.FPDF_PAGEOBJ_TEXT and _is_hidden(thing):
            things.has_hidden_text = True
        elif thing.type != pdfium_c.FPDF_PAGEOBJ_FORM:  # whose own contents come next
            things.is_drawn = True
    return things


def _read_pixels(image: pdfium.PdfObject) -> tuple[int, int]:
    """Return width and height from the picture's header; it is not decoded."""
    width, height = ctypes.c_uint(), ctypes.c_uint()
    pdfium_c.FPDFImageObj_GetImagePixelSize(image, width, height)
    return width.value, height.value


def _measure(image: pdfium.PdfObject) -> tuple[float, float]:
    """Return width and height in points; a turned picture is measured along its own sides."""
    matrix = image.get_matrix()
    return math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d)


def _is_hidden(text: pdfium.PdfObject) -> bool:
    return bool(pdfium_c.FPDFTextObj_GetTextRenderMode(text) == pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE)
