"""Encoding a micro-batch of drawings in this process. The server and its encoder workers run the same code, so a
drawing's raster and embedding do not depend on where they are computed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.outcomes import Outcome, map_ok, map_ok_batch

from .ports import Embedder, EncodedGlyph, Raster, Rasterizer
from .types import Glyph


class LocalBatchEncoder:
    """ports.BatchEncoder that is always available. Safe from any thread."""

    def __init__(self, rasterizer: Rasterizer, embedder: Embedder) -> None:
        self._rasterizer = rasterizer
        self._embedder = embedder

    def encode(self, glyphs: Sequence[Glyph], cancellation: Cancellation = NEVER) -> list[Outcome[EncodedGlyph]]:
        """See BatchEncoder. Raises Cancelled or DeadlineExceeded between two drawings."""

        def rasterize(glyph: Glyph) -> Raster:
            cancellation.check()
            return self._rasterizer.rasterize(glyph, cancellation)

        return map_ok_batch(self._embed, map_ok(rasterize, glyphs))

    def _embed(self, rasters: list[Raster]) -> list[EncodedGlyph]:
        if not rasters:
            return []
        return [EncodedGlyph(*pair) for pair in zip(self._embedder.embed(np.stack(rasters)), rasters, strict=True)]
