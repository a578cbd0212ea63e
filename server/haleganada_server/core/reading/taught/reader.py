"""Reads pages in the script that a workspace was taught: a reader takes a page apart, the server embeds what it found,
and the workspace's head says what it is.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.core.glyphs.encoder import GlyphEncoder
from haleganada_server.core.reading.options import ReadMode, ReadOptions
from haleganada_server.core.reading.ports import DocumentReader, ReadPage, TaughtWorkspaces

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
        workspaces: TaughtWorkspaces,
    ) -> None:
        """reader: reads all other modes."""
        self.count = reader.count
        self._reader, self._encoder = reader, encoder
        self._parameters, self._workspaces = parameters, workspaces

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
        self._workspaces.adapt_knowledge(options.workspace)  # it is missing before seconds of work, not after
        started = time.perf_counter()
        taken = self._reader.take_apart(document, page, options, cancellation)
        embedded = embed_page(taken.page, self._encoder, cancellation)
        reading = read_taught(embedded, self._workspaces.adapt_knowledge(options.workspace), self._parameters)
        if options.segment_only:
            reading = forget_text(reading)
        elapsed_ms = (time.perf_counter() - started) * 1000
        reading = replace(reading, elapsed_ms=elapsed_ms, step_pictures=taken.step_pictures)
        return ReadPage(reading, taken.pages_total, embedded)


def embed_page(page: TaughtPage, encoder: GlyphEncoder, cancellation: Cancellation = NEVER) -> TaughtPage:
    """Return a page with embeddings of all its groups by the current network. Raises Cancelled or DeadlineExceeded."""
    return page.embed(lambda rasters: encoder.embed_aside(rasters, cancellation), encoder.embedder_hash)
