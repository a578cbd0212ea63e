"""Opens a file as what it is."""

from __future__ import annotations

from pathlib import Path

from haleganada_server.core.machine_errors import machine_errors

from .document import Document
from .faults import unreadable
from .pdf import PdfPages
from .picture import FORMATS, Pictures

_HEAD = 1024
"""Bytes within which a PDF's signature must begin, as other readers have it."""
_FOREIGN = (
    (b"PK\x03\x04", 0, "is an office document or an archive; export it as a PDF"),
    (b"\xd0\xcf\x11\xe0", 0, "is an office document; export it as a PDF"),
    (b"AT&TFORM", 0, "is a DjVu file; convert it to a PDF, for example with ddjvu"),
    (b"%!PS", 0, "is PostScript; convert it to a PDF, for example with ps2pdf"),
    (b"{\\rtf", 0, "is rich text; export it as a PDF"),
    (b"ftyphei", 4, "is a HEIC picture; save it as a JPEG"),
    (b"ftypmif", 4, "is a HEIC picture; save it as a JPEG"),
    (b"\x1f\x8b", 0, "is compressed; unpack it first"),
    (b"<svg", 0, "is an SVG drawing; save it as a PNG or PDF"),
    (b"<?xml", 0, "is XML; save what it shows as a PNG or PDF"),
)
"""Signatures of files that people send, where they are, and what to do with them."""


def open_document(path: Path) -> Document:
    """Open a picture or a PDF.

    Raises Precondition (DOCUMENT_UNREADABLE, DOCUMENT_ENCRYPTED) and Exhausted (DOCUMENT_TOO_LARGE, and for the
    machine's own lack of memory or file descriptors).
    """
    with machine_errors():
        head = _read_head(path)
        if not head:
            raise unreadable("is empty; send the whole file")
        if head.startswith(b"%PDF-"):
            return PdfPages(path)
        if (pictures := Pictures.open(path)) is not None:
            return pictures
        if b"%PDF-" in head:
            return PdfPages(path)
    for signature, at, fault in _FOREIGN:
        if head.startswith(signature, at):
            raise unreadable(fault)
    raise unreadable(f"is neither a PDF nor a picture; send a PDF, or one of {', '.join(FORMATS)}")


def _read_head(path: Path) -> bytes:
    if not path.is_file():  # not even opened: a pipe would be waited for
        raise unreadable("is not a file; send one")
    with path.open("rb") as file:
        return file.read(_HEAD)
