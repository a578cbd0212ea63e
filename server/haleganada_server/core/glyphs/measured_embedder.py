"""An embedder whose batches are counted."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.measures import Measures

from .ports import Embedder, Vectors


class MeasuredEmbedder:
    """Embedder: another one, measured."""

    def __init__(self, embedder: Embedder, measures: Measures) -> None:
        self._embedder, self._measures = embedder, measures

    @property
    def hash(self) -> str:
        return self._embedder.hash

    @property
    def device(self) -> str:
        return self._embedder.device

    def embed(self, rasters: NDArray[np.uint8]) -> Vectors:
        """See Embedder.embed."""
        began = perf_counter()
        with self._measures.span("embed"):
            vectors = self._embedder.embed(rasters)
        self._measures.batch_s.add(perf_counter() - began)
        self._measures.batch_drawings.add(len(rasters))
        return vectors
