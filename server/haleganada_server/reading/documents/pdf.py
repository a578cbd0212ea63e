"""PDFs as documents, by PDFium. Pages are loaded when they are asked for, and one at a time."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.limits import MAX_PAGES
from haleganada_server.core.machine_errors import raise_machine_error
from haleganada_server.core.reading.page import TextLine

from .faults import CUT_OFF, encrypted, no_such_page, too_intricate, too_many_pages, unreadable, unreadable_page
from .pdf_contents import look_at_page
from .pdf_text import read_text_lines

DRAW_S = 40.0
"""Most seconds for drawing a page. Scans take less than one, large maps ten."""
_STAMP = 200
"""Characters that are put on scanned pages at most; a page of text has more."""
_WHITE = 0xFFFFFFFF


class PdfPages:
    """The pages of a PDF.

    PDFium cannot be interrupted while it loads a page. One whose parts draw one another without end is left to the
    limits of the process, see runtime/processes/reader_pool.py.
    """

    def __init__(self, path: Path, draw_s: float = DRAW_S) -> None:
        """draw_s: most seconds for drawing a page. Raises Precondition and Exhausted, see open_document."""
        self._draw_s = draw_s
        self._pdf = _load(path)
        self.pages_total = len(self._pdf)
        if self.pages_total > MAX_PAGES:
            self._pdf.close()
            raise too_many_pages()

    def draw(self, page: int) -> NDArray[np.uint8]:
        """Return a page as a viewer shows it: turned by its /Rotate, with its annotations and filled-in fields."""
        with self._page(page) as loaded:
            contents = look_at_page(loaded, page)
            return self._draw(loaded, page, contents.width, contents.height)

    def text_lines(self, page: int) -> list[TextLine]:
        """Return the page's text with polygons in px of draw(page); none if that is just a stamp or a page number on a
        scan.
        """
        with self._page(page) as loaded:
            contents = look_at_page(loaded, page)
            lines = read_text_lines(loaded, contents.width, contents.height)
        if contents.is_scan and not contents.has_hidden_text and sum(len(line.text) for line in lines) < _STAMP:
            return []
        return lines

    def close(self) -> None:
        self._pdf.close()

    @contextlib.contextmanager
    def _page(self, page: int) -> Iterator[pdfium.PdfPage]:
        """Load a page, and raise Precondition for whatever goes wrong with it."""
        if not 1 <= page <= self.pages_total:
            raise no_such_page(page, self.pages_total)
        try:
            loaded = self._pdf[page - 1]
            try:
                yield loaded
            finally:
                loaded.close()
        except HaleganadaError:
            raise
        except Exception as error:
            raise_machine_error(error)
            raise unreadable_page(page) from None

    def _draw(self, page: pdfium.PdfPage, number: int, width: int, height: int) -> NDArray[np.uint8]:
        """(height, width, 3). Raises Exhausted if it takes too long."""
        pixels = np.empty((height, width, 3), np.uint8)
        bitmap = pdfium_c.FPDFBitmap_CreateEx(
            width, height, pdfium_c.FPDFBitmap_BGR, pixels.ctypes.data_as(ctypes.c_void_p), width * 3
        )
        if not bitmap:
            raise MemoryError
        try:
            pdfium_c.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
            where = (bitmap, page, 0, 0, width, height, 0, pdfium_c.FPDF_ANNOT | pdfium_c.FPDF_REVERSE_BYTE_ORDER)
            _render(page, number, where, self._draw_s)
            if page.formenv:
                pdfium_c.FPDF_FFLDraw(page.formenv, *where)
        finally:
            pdfium_c.FPDFBitmap_Destroy(bitmap)
        return pixels


def _load(path: Path) -> pdfium.PdfDocument:
    try:
        pdf = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
            raise encrypted() from None
        raise unreadable(CUT_OFF) from None
    if pdf.get_formtype() in (pdfium_c.FORMTYPE_ACRO_FORM, pdfium_c.FORMTYPE_XFA_FOREGROUND):
        with contextlib.suppress(pdfium.PdfiumError):  # without them, the page is drawn without what was filled in
            pdf.init_forms()
    return pdf


def _render(page: pdfium.PdfPage, number: int, where: tuple[object, ...], seconds: float) -> None:
    """Draw until it is done or the time is over. where: arguments of PDFium."""
    end = time.monotonic() + seconds
    pause = pdfium_c.IFSDK_PAUSE(version=1)
    # The field holds the callback weakly: `late` keeps it alive while PDFium may call it.
    late = type(pause.NeedToPauseNow)(lambda _: int(time.monotonic() > end))
    pause.NeedToPauseNow = late
    try:
        status = pdfium_c.FPDF_RenderPageBitmap_Start(*where, pause)
    finally:
        pdfium_c.FPDF_RenderPage_Close(page)
    if status == pdfium_c.FPDF_RENDER_TOBECONTINUED:
        raise too_intricate(number, seconds)
    if status != pdfium_c.FPDF_RENDER_DONE:
        raise unreadable_page(number)
