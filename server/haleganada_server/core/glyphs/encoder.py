"""From a drawing to what is stored of it and to its embedding: the one path for teaching, predicting and importing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.errors import DataLoss, HaleganadaError
from haleganada_server.core.sample_log.rows import SampleRow

from .ink_codec import INK_DAMAGE, decode_ink, encode_ink
from .micro_batch import PieceHere
from .ports import Embedder, InkReader, PieceReader, Raster, Seen
from .types import Glyph, Ink

_PIECE = 16  # drawings


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A drawing that was read. embedding: (d,) float32.

    source: its strokes, its raster if it was a picture, or what is stored of it already.
    """

    embedding: NDArray[np.float32]
    source: Ink | Raster | tuple[str, bytes]


class DrawingReader:
    """Reads drawings with an ink reader and an embedder. Safe from any thread."""

    def __init__(
        self, ink: InkReader, embedder: Embedder, elsewhere: PieceReader | None = None, pieces_at_once: int = 3
    ) -> None:
        """elsewhere: reads what would otherwise keep other calls waiting; None = everything is read here.

        pieces_at_once: of one batch. While the network computes for one, which needs no Python, the next one is turned
        into rasters.
        """
        self._ink = ink
        self._embedder = embedder
        self._here = PieceHere(ink, embedder)
        self._elsewhere = elsewhere
        self._pool = ThreadPoolExecutor(pieces_at_once, "read")
        self._calls = 0  # in progress
        self._counting = threading.Lock()

    @property
    def embedder_hash(self) -> str:
        return self._embedder.hash

    def read_many(self, glyphs: Sequence[Glyph | HaleganadaError]) -> list[Drawing | HaleganadaError]:
        """Each drawing, or InvalidInput if it cannot be read; errors are passed through."""
        return [seen if isinstance(seen, HaleganadaError) else seen[0] for seen in self.see_many(glyphs)]

    def see_many(self, glyphs: Sequence[Glyph | HaleganadaError]) -> list[tuple[Drawing, Raster] | HaleganadaError]:
        """As read_many, each drawing together with its ink raster."""
        with self._call() as alone:
            if len(glyphs) <= _PIECE:
                return self._piece(glyphs, self._here if alone else self._elsewhere)
            pieces = [glyphs[start : start + _PIECE] for start in range(0, len(glyphs), _PIECE)]
            return list(chain.from_iterable(self._pool.map(partial(self._piece, by=self._elsewhere), pieces)))

    @contextmanager
    def _call(self) -> Iterator[bool]:
        """Counts a call while it lasts; True if there is no other one. A call that is alone is read here: it is
        answered soonest so.
        """
        with self._counting:
            self._calls += 1
            alone = self._calls == 1
        try:
            yield alone
        finally:
            with self._counting:
                self._calls -= 1

    def _piece(
        self, glyphs: Sequence[Glyph | HaleganadaError], by: PieceReader | None
    ) -> list[tuple[Drawing, Raster] | HaleganadaError]:
        given = [glyph for glyph in glyphs if isinstance(glyph, Glyph)]
        seen = by.see(given) if by else None
        answers = iter(self._here.see(given) if seen is None else seen)
        return [_drawn(glyph, next(answers)) if isinstance(glyph, Glyph) else glyph for glyph in glyphs]

    def stored(self, drawing: Drawing) -> tuple[str, bytes]:
        """What is kept of a drawing: ("ink", encoded strokes) or ("png", encoded raster), never the original file.

        Only called for what is taught: encoding takes as long as a good part of a prediction.
        """
        source = drawing.source
        if isinstance(source, tuple):
            return source
        return ("ink", encode_ink(source)) if isinstance(source, Ink) else ("png", self._ink.encode(source))

    def raster(self, kind: str, data: bytes) -> Raster:
        """The ink raster of a stored drawing. Raises DataLoss if it is damaged."""
        try:
            return self._ink.decode(data) if kind == "png" else self._ink.normalize(Glyph(ink=decode_ink(data)))
        except (HaleganadaError, *INK_DAMAGE) as error:
            raise DataLoss(
                "a stored drawing cannot be read; forget the sample and teach it again, or restore a snapshot"
            ) from error

    def picture(self, sample: SampleRow) -> bytes:
        """A stored drawing as PNG for people."""
        return self._ink.picture(self.raster(sample.glyph_kind, sample.glyph))

    def embed_stored(self, samples: Sequence[SampleRow]) -> list[NDArray[np.float32] | None]:
        """The embedding (d,) of each stored drawing by the present embedder; None for one that is damaged."""
        rasters = [self._stored_raster(sample) for sample in samples]
        embeddings = self._embed([raster for raster in rasters if raster is not None])
        return [None if raster is None else next(embeddings) for raster in rasters]

    def _stored_raster(self, sample: SampleRow) -> Raster | None:
        with suppress(DataLoss):
            return self.raster(sample.glyph_kind, sample.glyph)
        return None

    def _embed(self, rasters: Sequence[Raster]) -> Iterator[NDArray[np.float32]]:
        return iter(self._embedder.embed(np.stack(rasters)) if rasters else ())


def _drawn(glyph: Glyph, seen: Seen | HaleganadaError) -> tuple[Drawing, Raster] | HaleganadaError:
    if isinstance(seen, HaleganadaError):
        return seen
    return Drawing(seen.embedding, glyph.ink or seen.raster), seen.raster
