"""Read lines and pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from haleganada_client.calls.dual import dual_iterator, dual_method

from .base import Operations

if TYPE_CHECKING:  # few programs read documents; importing this takes as long as all the rest
    from haleganada_client.reading.calls import DocumentReader
    from haleganada_client.reading.types import Document, DocumentPage, DocumentReading, Engine, OnPage, PageReading


class Documents(Operations):
    """Read lines and pages."""

    @cached_property
    def _reader(self) -> DocumentReader:
        from haleganada_client.reading.calls import DocumentReader

        return DocumentReader(self._connection)

    @dual_method
    async def read(
        self,
        document: Document,
        page: int = 1,
        *,
        mode: str = "auto",
        engine: str = "",
        languages: Iterable[str] = (),
        skipped_steps: Iterable[str] = (),
        text_layer: str = "use",
        segment_only: bool = False,
        keep: bool = False,
        debug: bool = False,
        workspace: str | None = None,
        reading_order: str = "left-to-right",
        lexicon: Iterable[str] = (),
        alternatives: int = 0,
    ) -> PageReading:
        """Read one page of an image or a PDF. Raises OSError for a path that cannot be read.

        page: from 1. mode: auto, printed, handwritten or taught. engine: the id of an engine, "" = one that suits mode
        and languages. languages: ISO 639 codes ("kn") or an engine's own names, the main one first, at most 8; () = the
        engine's choice. skipped_steps: of the preparation: polarity, turn, skew, light, ruled-lines, columns.
        text_layer: what to do with the text that a PDF has, use or replace. segment_only: find lines, words and glyphs
        without reading them. keep: keep the reading on the server for a while. debug: return a picture of each step of
        the preparation. workspace: whose script the mode taught reads. reading_order: of its glyphs: left-to-right,
        right-to-left, columns-from-right, columns-from-left or boustrophedon. lexicon: words that models of lines
        prefer, at most 50,000. alternatives: how many ways to read each line they return, at most 10.
        """
        return await self._reader.read(
            document,
            page,
            mode=mode,
            engine=engine,
            languages=languages,
            skipped_steps=skipped_steps,
            text_layer=text_layer,
            segment_only=segment_only,
            keep=keep,
            debug=debug,
            workspace=self._or_default(workspace),
            reading_order=reading_order,
            lexicon=lexicon,
            alternatives=alternatives,
        )

    @dual_iterator
    def read_many(
        self,
        documents: Iterable[Document],
        *,
        pages: str = "",
        on_page: OnPage | None = None,
        mode: str = "auto",
        engine: str = "",
        languages: Iterable[str] = (),
        skipped_steps: Iterable[str] = (),
        text_layer: str = "use",
        segment_only: bool = False,
        keep: bool = False,
        debug: bool = False,
        workspace: str | None = None,
        reading_order: str = "left-to-right",
        lexicon: Iterable[str] = (),
        alternatives: int = 0,
    ) -> AsyncGenerator[DocumentReading, None]:
        """Read images and PDFs; yield each as it is done, in any order. One that cannot be read is yielded with its
        error.

        Documents are opened one after another and sent in chunks, while the server has room for them, so memory does
        not grow with their number. on_page gets each page as soon as it is done; it is not kept then, so memory does
        not grow with the number of pages, either. Closing the iterator cancels what is left. pages: numbers and ranges
        such as "1,3-7,20-", "" = all. The other arguments are those of read.
        """
        return self._reader.read_many(
            documents,
            pages,
            on_page,
            mode=mode,
            engine=engine,
            languages=languages,
            skipped_steps=skipped_steps,
            text_layer=text_layer,
            segment_only=segment_only,
            keep=keep,
            debug=debug,
            workspace=self._or_default(workspace),
            reading_order=reading_order,
            lexicon=lexicon,
            alternatives=alternatives,
        )

    @dual_iterator
    def read_pages(
        self,
        documents: Iterable[Document],
        *,
        pages: str = "",
        mode: str = "auto",
        engine: str = "",
        languages: Iterable[str] = (),
        skipped_steps: Iterable[str] = (),
        text_layer: str = "use",
        segment_only: bool = False,
        keep: bool = False,
        debug: bool = False,
        workspace: str | None = None,
        reading_order: str = "left-to-right",
        lexicon: Iterable[str] = (),
        alternatives: int = 0,
    ) -> AsyncGenerator[DocumentPage | DocumentReading, None]:
        """Read images and PDFs; yield each page as soon as it is done, and each document, its `pages` and `page_errors`
        empty, after its pages. The arguments are those of read_many.
        """
        return self._reader.read_pages(
            documents,
            pages,
            mode=mode,
            engine=engine,
            languages=languages,
            skipped_steps=skipped_steps,
            text_layer=text_layer,
            segment_only=segment_only,
            keep=keep,
            debug=debug,
            workspace=self._or_default(workspace),
            reading_order=reading_order,
            lexicon=lexicon,
            alternatives=alternatives,
        )

    @dual_method
    async def engines(self) -> tuple[Engine, ...]:
        """Return the engines that read text, also those that are not installed; first those that auto prefers."""
        return await self._reader.engines()
