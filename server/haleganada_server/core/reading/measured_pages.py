"""A reader of pages whose pages are counted."""

from __future__ import annotations

from pathlib import Path

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.measures import Measures

from .options import ReadOptions
from .ports import PageReader, ReadPage


class MeasuredPages:
    """PageReader: another one, measured."""

    def __init__(self, pages: PageReader, measures: Measures) -> None:
        self._pages, self._measures = pages, measures
        self.count = pages.count

    def count_pages(self, document: Path, cancellation: Cancellation) -> int:
        """See PageReader.count_pages."""
        return self._pages.count_pages(document, cancellation)

    def read_page(self, document: Path, page: int, options: ReadOptions, cancellation: Cancellation) -> ReadPage:
        """See PageReader.read_page."""
        try:
            with self._measures.span("read page"), self._measures.page_s.count_seconds():
                return self._pages.read_page(document, page, options, cancellation)
        except Exception:
            self._measures.failed_pages.add()
            raise
