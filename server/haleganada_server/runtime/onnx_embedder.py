"""The embedder on a CPU, by onnxruntime.

Single glyphs run on one thread each, so that many callers share the cores without fighting. Batches are split over
as many one-thread runs as there are cores. The rows of a batch are computed as single glyphs would be, so that a
glyph's vector does not depend on its company.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .weights import Weights

ToInput = Callable[[NDArray[np.uint8], int], NDArray[np.float32]]
_PIECE = 16  # glyphs a run: large enough to spare overhead, small enough to stay in the cache


class OnnxEmbedder:
    """core.ports.Embedder. Safe from any thread."""

    def __init__(self, weights: Weights, to_input: ToInput) -> None:
        """to_input: vision.network_input, handed in because rooms of one floor do not import each other."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            weights.onnx.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._weights, self._to_input = weights, to_input
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="embed")

    @property
    def hash(self) -> str:
        return self._weights.hash

    @property
    def device(self) -> str:
        return "cpu (onnxruntime)"

    def embed(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 128, 128) uint8 -> (n, d) float32."""
        if len(rasters) <= _PIECE:
            return self._run(rasters)
        pieces = [rasters[start : start + _PIECE] for start in range(0, len(rasters), _PIECE)]
        return np.concatenate(list(self._pool.map(self._run, pieces)))

    def _run(self, rasters: NDArray[np.uint8]) -> NDArray[np.float32]:
        ink = self._to_input(rasters, self._weights.side)
        return np.asarray(self._session.run(["embedding"], {"ink": ink})[0])
