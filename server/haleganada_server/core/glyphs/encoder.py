"""Encoding drawings: to embeddings, and to the form in which they are stored. Teaching, predicting and importing all
use this one path.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.baton import without_baton
from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.errors import DataLoss, InvalidInput
from haleganada_server.core.outcomes import Outcome, map_ok, map_ok_batch, raise_if_error
from haleganada_server.core.sample_log.rows import SYNTHETIC, SampleRow

from .batches import MicroBatch, split_into_micro_batches
from .combining import CombiningEncoder
from .ink_codec import INK_DAMAGE, decode_ink, encode_ink
from .ports import Embedder, EncodedGlyph, Raster, Rasterizer
from .types import Glyph, Ink

T = TypeVar("T")

_ASIDE = 16  # drawings; a user's call waits for so many at most
_OVERLAP = max(2, min(os.cpu_count() or 1, 4))
"""Micro-batches of one call at once: one is rasterized while another is embedded."""
_MANY_POINTS = 2_000  # of a drawing; a character that a person draws has a few hundred


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """An encoded drawing. embedding: (d,) float32.

    source: its strokes, its raster if it was a picture, or its stored form if it is taught, was imported from an
    archive, or has thousands of points, which take a tenth of the memory then. synthetic: see Glyph.
    """

    embedding: NDArray[np.float32]
    source: Ink | Raster | tuple[str, bytes]
    synthetic: bool = False


class GlyphEncoder:
    """Encodes drawings with a rasterizer and an embedder. Safe from any thread."""

    def __init__(
        self, rasterizer: Rasterizer, embedder: Embedder, most_together: int = 8, overlap: int = _OVERLAP
    ) -> None:
        """most_together: drawings of concurrent calls that are encoded together. overlap: micro-batches of one call at
        once; 1 is best where other processes use the other cores.
        """
        self._rasterizer = rasterizer
        self._embedder = embedder
        self._overlap = overlap
        self._combining = CombiningEncoder(rasterizer, embedder, most_together)
        self._pool = ThreadPoolExecutor(max(overlap, os.cpu_count() or 1), "micro-batch")
        self._active_calls = 0
        self._counter_lock = threading.Lock()

    @property
    def embedder_hash(self) -> str:
        return self._embedder.hash

    def encode_many(
        self, glyphs: Sequence[Outcome[Glyph]], cancellation: Cancellation = NEVER, *, to_store: bool = False
    ) -> list[Outcome[Drawing]]:
        """Encode each drawing; one that cannot be used becomes InvalidInput, and errors are passed through. to_store:
        the sources are to be in their stored form. Raises Cancelled or DeadlineExceeded, between two drawings, if
        nobody waits for them any longer.
        """
        return self._encode(glyphs, self._to_stored_drawing if to_store else _to_drawing, cancellation)

    def encode_with_rasters(
        self, glyphs: Sequence[Outcome[Glyph]], cancellation: Cancellation = NEVER
    ) -> list[Outcome[tuple[Drawing, Raster]]]:
        """Encode as encode_many does, and return each drawing together with its ink raster."""
        return self._encode(glyphs, lambda glyph, encoded: (_to_drawing(glyph, encoded), encoded.raster), cancellation)

    def _encode(
        self, glyphs: Sequence[Outcome[Glyph]], finish: Callable[[Glyph, EncodedGlyph], T], cancellation: Cancellation
    ) -> list[Outcome[T]]:
        """Encode drawings. finish: makes what is returned for each; it runs while other drawings are embedded."""

        def encode(batch: MicroBatch) -> list[Outcome[T]]:
            return map_ok_batch(lambda valid: self._encode_together(valid, batch, finish, cancellation), batch.glyphs)

        with self._counter_lock:
            self._active_calls += 1
        try:
            batches = split_into_micro_batches(glyphs, self._rasterizer.count_pixels)
            if self._overlap == 1 or len(batches) == 1:
                return [one for batch in batches for one in encode(batch)]
            return self._encode_overlapping(batches, encode)
        finally:
            with self._counter_lock:
                self._active_calls -= 1

    def _encode_overlapping(
        self, batches: Sequence[MicroBatch], encode: Callable[[MicroBatch], list[Outcome[T]]]
    ) -> list[Outcome[T]]:
        """Encode micro-batches, some at once, and return what comes of the drawings in order."""
        encoded: list[Outcome[T]] = []
        pending: deque[Future[list[Outcome[T]]]] = deque()
        with without_baton():  # this thread waits for others, or decodes what is large, which is not Python's work
            try:
                for batch in batches:
                    while pending and (batch.is_large or len(pending) == self._overlap):
                        encoded += pending.popleft().result()
                    if batch.is_large:  # in this thread, as micro-batches of other calls wait for those of the pool
                        encoded += encode(batch)
                    else:
                        pending.append(self._pool.submit(encode, batch))
                while pending:
                    encoded += pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()
                wait(pending)
        return encoded

    def _encode_together(
        self,
        valid: Sequence[Glyph],
        batch: MicroBatch,
        finish: Callable[[Glyph, EncodedGlyph], T],
        cancellation: Cancellation,
    ) -> list[Outcome[T]]:
        """Encode the drawings of a micro-batch together with those of other calls, or a large one beside them."""
        if batch.is_large:
            encoded = self._combining.encode_alone(valid, cancellation)
        else:
            encoded = self._combining.encode(valid, batch.weight, cancellation)
        return map_ok(lambda pair: finish(pair[0], raise_if_error(pair[1])), zip(valid, encoded, strict=True))

    def to_stored(self, drawing: Drawing) -> tuple[str, bytes]:
        """Return what the log keeps of a drawing: ("ink", encoded strokes), ("png", encoded raster), or (SYNTHETIC,
        encoded raster), never the original file.

        Call it only for drawings that are taught: it takes as long as a good part of a prediction.
        """
        source = drawing.source
        if isinstance(source, tuple):
            return source
        if isinstance(source, Ink):
            return "ink", encode_ink(source)
        return SYNTHETIC if drawing.synthetic else "png", self._rasterizer.to_png(source)

    def _to_stored_drawing(self, glyph: Glyph, encoded: EncodedGlyph) -> Drawing:
        drawing = _to_drawing(glyph, encoded)
        return replace(drawing, source=self.to_stored(drawing))

    def load_raster(self, kind: str, data: bytes) -> Raster:
        """Return the ink raster of a stored drawing. Raises DataLoss if it is damaged."""
        try:
            if kind in ("png", SYNTHETIC):
                return self._rasterizer.from_png(data)
            return self._rasterizer.rasterize(Glyph(ink=decode_ink(data)))
        except (InvalidInput, DataLoss, *INK_DAMAGE) as error:
            raise DataLoss(
                "a stored drawing cannot be read; forget the sample and teach it again, or restore a snapshot"
            ) from error

    def is_drawing_of(self, raster: Raster, sample: SampleRow) -> bool:
        """Return whether a sample's drawing is an ink raster, or one that is encoded to it."""
        stored = self._load_raster_or_none(sample)
        return stored is not None and np.array_equal(stored, raster)

    def render_picture(self, sample: SampleRow) -> bytes:
        """Return a stored drawing as PNG for people. Raises DataLoss if it is damaged."""
        return self._rasterizer.to_picture(self.load_raster(sample.glyph_kind, sample.glyph))

    def embed_stored(self, samples: Sequence[SampleRow]) -> list[NDArray[np.float32] | None]:
        """Return the embedding (d,) of each stored drawing by the current embedder; None for one that is damaged."""
        rasters = [self._load_raster_or_none(sample) for sample in samples]
        intact = [raster for raster in rasters if raster is not None]
        embeddings = iter(self._embedder.embed(np.stack(intact)) if intact else ())
        return [None if raster is None else next(embeddings) for raster in rasters]

    def embed_aside(self, rasters: NDArray[np.uint8], cancellation: Cancellation = NEVER) -> NDArray[np.float32]:
        """(n, 128, 128) rasters -> (n, d), n >= 1. For many of them that nobody waits for as for a drawing: while other
        calls encode, it rests after each batch as long as that took. Raises Cancelled or DeadlineExceeded.
        """
        vectors = []
        for start in range(0, len(rasters), _ASIDE):
            cancellation.check()
            began = time.monotonic()
            vectors.append(self._embedder.embed(rasters[start : start + _ASIDE]))
            if self._active_calls:
                time.sleep(time.monotonic() - began)
        return np.concatenate(vectors)

    def _load_raster_or_none(self, sample: SampleRow) -> Raster | None:
        with suppress(DataLoss):
            return self.load_raster(sample.glyph_kind, sample.glyph)
        return None


def _to_drawing(glyph: Glyph, encoded: EncodedGlyph) -> Drawing:
    if glyph.ink is None:
        return Drawing(encoded.embedding, encoded.raster, glyph.synthetic)
    is_long = glyph.ink.points > _MANY_POINTS
    return Drawing(encoded.embedding, ("ink", encode_ink(glyph.ink)) if is_long else glyph.ink)
