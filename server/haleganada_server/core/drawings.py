"""From a drawing to what is stored of it and to its embedding: the one path for teaching, predicting and importing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from .errors import DataLoss, HaleganadaError
from .ink_codec import INK_DAMAGE, decode_ink, encode_ink
from .ports import Embedder, InkReader, Raster, SampleRow
from .types import Glyph, Ink

_PIECE = 16  # drawings
_PIECES_AT_ONCE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A drawing that was read. embedding: (d,) float32.

    source: its strokes, its raster if it was a picture, or what is stored of it already.
    """

    embedding: NDArray[np.float32]
    source: Ink | Raster | tuple[str, bytes]


class DrawingReader:
    """Reads drawings with an ink reader and an embedder. Safe from any thread."""

    def __init__(self, ink: InkReader, embedder: Embedder) -> None:
        self._ink = ink
        self._embedder = embedder
        self._pool = ThreadPoolExecutor(_PIECES_AT_ONCE, "read")

    @property
    def embedder_hash(self) -> str:
        return self._embedder.hash

    def read(self, glyph: Glyph) -> Drawing:
        """Raises InvalidInput."""
        raster = self._ink.normalise(glyph)
        return Drawing(self._embedder.embed(raster[None])[0], glyph.ink or raster)

    def read_many(self, glyphs: Sequence[Glyph | HaleganadaError]) -> list[Drawing | HaleganadaError]:
        """As read; what cannot be read becomes its error, and errors are passed through.

        Several pieces are on their way at once: while the network computes for one, which needs no Python, the next
        one is turned into rasters.
        """
        return [seen if isinstance(seen, HaleganadaError) else seen[0] for seen in self.see_many(glyphs)]

    def see_many(self, glyphs: Sequence[Glyph | HaleganadaError]) -> list[tuple[Drawing, Raster] | HaleganadaError]:
        """As read_many, each drawing together with its ink raster."""
        if len(glyphs) <= _PIECE:
            return self._see_piece(glyphs)
        pieces = [glyphs[start : start + _PIECE] for start in range(0, len(glyphs), _PIECE)]
        return list(chain.from_iterable(self._pool.map(self._see_piece, pieces)))

    def _see_piece(self, glyphs: Sequence[Glyph | HaleganadaError]) -> list[tuple[Drawing, Raster] | HaleganadaError]:
        rasters = [self._raster_or_error(glyph) for glyph in glyphs]
        embeddings = self._embed([raster for raster in rasters if isinstance(raster, np.ndarray)])
        return [
            (Drawing(next(embeddings), glyph.ink or raster), raster)
            if isinstance(glyph, Glyph) and isinstance(raster, np.ndarray)
            else raster  # type: ignore[misc]
            for glyph, raster in zip(glyphs, rasters, strict=True)
        ]

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
            return self._ink.decode(data) if kind == "png" else self._ink.normalise(Glyph(ink=decode_ink(data)))
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

    def _raster_or_error(self, glyph: Glyph | HaleganadaError) -> Raster | HaleganadaError:
        if isinstance(glyph, HaleganadaError):
            return glyph
        try:
            return self._ink.normalise(glyph)
        except HaleganadaError as error:
            return error
