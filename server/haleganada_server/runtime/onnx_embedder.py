"""The embedder on the CPU: one onnxruntime session with one thread, called by as many threads as want to.

Drawings go through the network one at a time. A batch would be hardly faster on one thread (measured: 3 to 8 %), and
so a drawing has the same embedding to the last bit, whatever it is embedded together with. Large batches are shared
among a few threads of the embedder's own; onnxruntime lets go of Python's lock while it computes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .weights import Weights

Rasters = NDArray[np.uint8]  # (n, 128, 128)
Vectors = NDArray[np.float32]  # (n, d)
ToInput = Callable[[Rasters], NDArray[np.float32]]  # -> (n, 1, side, side), 0..1

_SHARED_FROM = 4  # a smaller batch is not worth waking other threads


class OnnxEmbedder:
    """core.ports.Embedder by onnxruntime."""

    def __init__(self, weights: Weights, to_input: ToInput, threads: int | None = None) -> None:
        """to_input: rasters as the network takes them. threads: for large batches, default one a core."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(weights.onnx), options, providers=["CPUExecutionProvider"])
        self._to_input = to_input
        self._hash = weights.hash
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads, "embed")

    @property
    def hash(self) -> str:
        return self._hash

    @property
    def device(self) -> str:
        return "cpu (onnxruntime)"

    def embed(self, rasters: Rasters) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 vectors, n >= 1."""
        if len(rasters) < _SHARED_FROM:
            return self._one_by_one(rasters)
        shares = [share for share in np.array_split(rasters, self._threads) if len(share)]
        return np.concatenate(list(self._pool.map(self._one_by_one, shares)))

    def _one_by_one(self, rasters: Rasters) -> Vectors:
        ink = self._to_input(rasters)
        return np.concatenate([self._session.run(["embedding"], {"ink": ink[i : i + 1]})[0] for i in range(len(ink))])
