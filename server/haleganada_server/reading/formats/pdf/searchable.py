"""Makes the searchable PDF of a reading."""

from __future__ import annotations

import tempfile
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium
from numpy.typing import NDArray
from pikepdf import Dictionary, Name
from PIL import Image

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.reading.page import TEXT_LAYER, PageReading
from haleganada_server.reading.documents import Document, open_document

from ..kept import KeptReading
from ..texts import clean_text
from .geometry import find_inherited, px_to_points, visible_box
from .glyphless_font import GlyphlessFonts
from .old_text import remove_invisible_text, shows_text
from .picture_file import PictureFile
from .pictures import encode_picture, keep_jpeg
from .stamps import find_stamp
from .text_layer import FONT_PREFIX, make_text_layer

_POINTS = 72  # per inch
_A4 = 842  # points of its longer side
_DPI = (75, 2400)  # what a picture can say in earnest; 72 means that it does not know
_DAMAGED = (pikepdf.PdfError, pdfium.PdfiumError, TypeError, ValueError)
_MAX_SIDE = 14_400  # points, the most that a PDF may have


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    """Write the document as a PDF with the text that was read. Raises what opening and drawing the document raises."""
    with (
        tempfile.TemporaryDirectory(dir=target.parent, prefix="pdf-") as folder,
        closing(open_document(reading.document)) as document,
    ):
        original, drawn = reading.document, Path(folder) / "drawn.pdf"
        if not _is_pdf(original):
            original = Path(folder) / "pages.pdf"
            _draw_document(reading.document, document, original)
        with _open_pdf(original) as pdf:
            if original is not reading.document:
                pdf.docinfo.Title = clean_text(reading.name)
            with PictureFile(drawn) as file:
                texts = _TextWriter(pdf, original, document, file)
                for page in reading.pages():
                    texts.add(page)
            with _open_pdf(drawn) as pictures:
                texts.put_pictures(pictures)
                pdf.save(target)
    was_pdf = reading.name.lower().endswith(".pdf")
    return f"{reading.stem}{'-searchable' * was_pdf}.pdf", "application/pdf"


class _TextWriter:
    """Gives pages of a PDF their text. original: its file. drawn: takes pictures of those pages whose visible text was
    read anew.
    """

    def __init__(self, pdf: pikepdf.Pdf, original: Path, document: Document, drawn: PictureFile) -> None:
        self._pdf = pdf
        self._original = original
        self._document = document
        self._drawn = drawn
        self._fonts = GlyphlessFonts(pdf)
        self._replaced: list[pikepdf.Page] = []

    def add(self, page: PageReading) -> None:
        """Put the text of a page behind it, unless it is the text that the page had already."""
        if page.page > len(self._pdf.pages) or all(line.engine == TEXT_LAYER for line in page.lines):
            return
        target = self._pdf.pages[page.page - 1]
        to_points = px_to_points(target, page.width, page.height)
        if not make_text_layer(page, to_points).content:
            return
        stamp = self._remove_old_text(target, page)
        layer = make_text_layer(page, to_points, stamp)
        if not layer.content:
            return
        _own_resources(target)
        for plane in layer.planes:
            target.add_resource(self._fonts.font(plane), Name.Font, Name(f"/{FONT_PREFIX}{plane}"))
        # First, because there nothing has changed the coordinates yet; what cannot be seen may lie below.
        content = self._pdf.make_stream(zlib.compress(layer.content), Filter=Name.FlateDecode)
        target.contents_add(content, prepend=True)

    def _remove_old_text(self, target: pikepdf.Page, page: PageReading) -> NDArray[np.float64] | None:
        """Remove the text that a page has, but for stamps on a scan; return where those are."""
        stamp = None
        try:
            if not shows_text(target) or (stamp := find_stamp(self._original, page)) is not None:
                remove_invisible_text(self._pdf, target)
                return stamp
        except _DAMAGED:  # nobody knows what text it has
            pass
        self._replace_by_picture(target, page.page)
        return None

    def put_pictures(self, pictures: pikepdf.Pdf) -> None:
        """Copy the pictures that were drawn into their pages; their data stays on disk until the PDF is saved."""
        for page, source in zip(self._replaced, pictures.pages, strict=True):
            page.add_resource(self._pdf.copy_foreign(source.obj.Resources.XObject.Im), Name.XObject, Name.Im)

    def _replace_by_picture(self, page: pikepdf.Page, number: int) -> None:
        left, bottom, right, top = visible_box(page)
        self._drawn.add_page(encode_picture(self._document.draw(number)), right - left, top - bottom)
        a, c, e, b, d, f = px_to_points(page, 1, 1).ravel()
        # A PDF's picture begins at its lower edge, px at the upper one.
        matrix = (a, b, -c, -d, c + e, d + f)
        drawing = "q " + " ".join(f"{value:.3f}" for value in matrix) + " cm /Im Do Q\n"
        page.obj.Contents = self._pdf.make_stream(drawing.encode())
        page.obj.Resources = Dictionary()
        self._replaced.append(page)


def _own_resources(page: pikepdf.Page) -> None:
    """Give a page resources that it shares with no other page."""
    shared = find_inherited(page, "/Resources")
    own = Dictionary(dict(shared.items())) if isinstance(shared, Dictionary) else Dictionary()
    own.Font = Dictionary(dict(own.Font.items())) if isinstance(own.get("/Font"), Dictionary) else Dictionary()
    page.obj.Resources = own


def _open_pdf(path: Path) -> pikepdf.Pdf:
    try:
        # Mapped into memory, a large file would count as this process's own.
        return pikepdf.open(path, access_mode=pikepdf.AccessMode.stream)
    except pikepdf.PdfError as error:
        raise Precondition(
            "the document can be read, but is too damaged to be extended; print it to a new PDF, and read that",
            Reason.DOCUMENT_UNREADABLE,
        ) from error


def _is_pdf(path: Path) -> bool:
    with path.open("rb") as file:
        return b"%PDF-" in file.read(1024)


def _draw_document(path: Path, document: Document, target: Path) -> None:
    """Write all pages of a document as pictures. A JPEG stays as it is; a page that cannot be drawn becomes empty."""
    dpi = _read_dpi(path)
    with PictureFile(target) as file:
        for number in range(1, document.pages_total + 1):
            picture = keep_jpeg(path) if document.pages_total == 1 else None
            if picture is None:
                try:
                    picture = encode_picture(document.draw(number))
                except Precondition:
                    picture = encode_picture(np.full((_A4, _A4, 3), 255, np.uint8))
            width, height = (picture.width, picture.height)[:: -1 if picture.orientation > 4 else 1]
            file.add_page(picture, *_size_in_points(width, height, dpi))


def _size_in_points(width: int, height: int, dpi: tuple[float, float] | None) -> tuple[float, float]:
    """dpi: across and down; None makes the longer side that of an A4 page."""
    across, down = dpi or (max(width, height) * _POINTS / _A4,) * 2
    shrink = min(1.0, _MAX_SIDE / max(width * _POINTS / across, height * _POINTS / down))
    return width * _POINTS / across * shrink, height * _POINTS / down * shrink


def _read_dpi(path: Path) -> tuple[float, float] | None:
    """Return the resolution that a picture tells in earnest; None without one."""
    try:
        with Image.open(path) as image:
            # PNG has them for a meter, so that 300 dpi are 299.9994
            across, down = (float(round(value, 1)) for value in image.info.get("dpi", ()))
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError):
        return None
    return (across, down) if all(_DPI[0] <= value <= _DPI[1] for value in (across, down)) else None
