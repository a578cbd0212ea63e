"""Reads pages in the script that a workspace was taught: a reader takes a page apart, the server embeds what it found,
and the workspace's head says what it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.cancellation import Cancellation
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.reading.options import ReadMode, ReadOptions
from haleganada_server.core.reading.ports import DocumentReader, ReadPage

from .assembly import TAUGHT, forget_text
from .page import TaughtPage
from .reading import read_taught


class TaughtReader:
    """core.reading.ports.PageReader that reads ReadMode.TAUGHT, too. Safe from any thread."""

    def __init__(
        self,
        reader: DocumentReader,
        encoder: GlyphEncoder,
        parameters: HeadParameters,
        find_knowledge: Callable[[str], Knowledge],
    ) -> None:
        """reader: reads all other modes. find_knowledge: returns what the workspace of a name knows now, with a head
        that has adapted to all of it; raises NotFound, DataLoss, Exhausted or Unavailable.
        """
        self.count = reader.count
        self._reader, self._encoder = reader, encoder
        self._parameters, self._find_knowledge = parameters, find_knowledge

    def count_pages(self, document: Path, cancellation: Cancellation) -> int:
        return self._reader.count_pages(document, cancellation)

    def read_page(self, document: Path, page: int, options: ReadOptions, cancellation: Cancellation) -> ReadPage:
        if options.mode is not ReadMode.TAUGHT:
            return self._reader.read_page(document, page, options, cancellation)
        if options.engine not in ("", TAUGHT):
            raise Precondition(
                f"the engine {options.engine} does not read what you taught; leave the engine out, or the mode",
                Reason.MODE_UNAVAILABLE,
            )
        self._find_knowledge(options.workspace)  # it is missing before seconds of work, not after
        started = time.perf_counter()
        taken = self._reader.take_apart(document, page, options, cancellation)
        embedded = self._embed(taken.page, cancellation)
        reading = read_taught(embedded, self._find_knowledge(options.workspace), self._parameters)
        if options.segment_only:
            reading = forget_text(reading)
        elapsed_ms = (time.perf_counter() - started) * 1000
        return ReadPage(replace(reading, elapsed_ms=elapsed_ms, step_pictures=taken.step_pictures), taken.pages_total)

    def _embed(self, page: TaughtPage, cancellation: Cancellation) -> TaughtPage:
        """Return a page with the embeddings of its groups."""
        return page.embed(lambda rasters: self._encoder.embed_aside(rasters, cancellation), self._encoder.embedder_hash)
