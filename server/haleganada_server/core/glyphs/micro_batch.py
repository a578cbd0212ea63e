"""Reading a few drawings together, in this process: the same work wherever it is done, so that a drawing's raster and
embedding do not depend on who read it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from haleganada_server.core.errors import HaleganadaError

from .ports import Embedder, InkReader, Raster, Seen
from .types import Glyph


class PieceHere:
    """ports.PieceReader that is always there. Safe from any thread."""

    def __init__(self, ink: InkReader, embedder: Embedder) -> None:
        self._ink = ink
        self._embedder = embedder

    def see(self, glyphs: Sequence[Glyph]) -> list[Seen | HaleganadaError]:
        rasters = [self._raster_or_error(glyph) for glyph in glyphs]
        readable = [raster for raster in rasters if isinstance(raster, np.ndarray)]
        embeddings = iter(self._embedder.embed(np.stack(readable)) if readable else ())
        return [raster if isinstance(raster, HaleganadaError) else Seen(next(embeddings), raster) for raster in rasters]

    def _raster_or_error(self, glyph: Glyph) -> Raster | HaleganadaError:
        try:
            return self._ink.normalize(glyph)
        except HaleganadaError as error:
            return error
