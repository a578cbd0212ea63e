"""Documents: their pages are the items, so that a book of 500 pages is divided among the workers, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from haleganada_server.core.cancellation import NEVER
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.limits import MAX_STREAMED_DOCUMENT_BYTES
from haleganada_server.core.reading.ports import PageReader

from .items import Item, ItemFiles

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".jp2", ".ppm", ".pgm", ".pbm")
DOCUMENTS = (".pdf", ".tif", ".tiff", *_PICTURES)
"""The endings of what counts in folders."""


def list_pages(documents: Sequence[Item], reader: PageReader, scratch: Path) -> list[Item]:
    """Return an item for each page; one for a document that cannot be opened, whose row will say why."""

    def count(document: Item) -> int:
        if document.problem or Path(document.member or document.path).suffix.lower() in _PICTURES:
            return 1
        try:
            with closing(ItemFiles()) as files, as_file(document, files, scratch) as path:
                return reader.count_pages(path, NEVER)
        except HaleganadaError:
            return 1

    with ThreadPoolExecutor(reader.count) as pool:
        counts = pool.map(count, documents)
        return [
            replace(document, page=page)
            for document, pages in zip(documents, counts, strict=True)
            for page in range(1, pages + 1)
        ]


@contextmanager
def as_file(item: Item, files: ItemFiles, scratch: Path) -> Iterator[Path]:
    """Give the block the path of a document; a member of a zip file is unpacked for it. Raises InvalidInput."""
    if not item.member and not item.problem:
        yield Path(item.path)
        return
    content = files.read(item, MAX_STREAMED_DOCUMENT_BYTES)
    path = scratch / f"document-{token_hex(8)}"
    try:
        path.write_bytes(content)
        yield path
    finally:
        path.unlink(missing_ok=True)
