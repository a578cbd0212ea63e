"""The embedder on the CPU, by onnxruntime.

A drawing that comes alone is computed by all cores together, which halves its time. Drawings that come at the same
time get one core each, which wastes nothing. Large batches are shared among the cores in small pieces. All of these
give the same embedding to the last bit (a test watches it), so a drawing's embedding does not depend on its company.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .weights import Weights

Rasters = NDArray[np.uint8]  # (n, 128, 128)
Vectors = NDArray[np.float32]  # (n, d)
ToInput = Callable[[Rasters], NDArray[np.float32]]  # -> (n, 1, side, side), 0..1

_PIECE = 8  # drawings; larger ones are hardly faster, and keep the other cores waiting at the end


class OnnxEmbedder:
    """core.ports.Embedder by onnxruntime."""

    def __init__(self, weights: Weights, to_input: ToInput, threads: int | None = None) -> None:
        """to_input: rasters as the network takes them. threads: for large batches, default one a core."""
        self._threads = threads or os.cpu_count() or 1
        self._shared = _session(weights, 1)
        self._alone = _session(weights, self._threads) if self._threads > 1 else self._shared
        self._to_input = to_input
        self._hash = weights.hash
        self._pool = ThreadPoolExecutor(self._threads, "embed")
        self._calls = 0  # in progress
        self._counting = threading.Lock()

    @property
    def hash(self) -> str:
        return self._hash

    @property
    def device(self) -> str:
        return "cpu (onnxruntime)"

    def embed(self, rasters: Rasters) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 vectors, n >= 1."""
        with self._counting:
            self._calls += 1
            alone = self._calls == 1
        try:
            if len(rasters) <= _PIECE:
                return self._run(self._alone if alone else self._shared, rasters)
            pieces = [rasters[start : start + _PIECE] for start in range(0, len(rasters), _PIECE)]
            return np.concatenate(list(self._pool.map(partial(self._run, self._shared), pieces)))
        finally:
            with self._counting:
                self._calls -= 1

    def _run(self, session: onnxruntime.InferenceSession, rasters: Rasters) -> Vectors:
        return np.asarray(session.run(["embedding"], {"ink": self._to_input(rasters)})[0])


def _session(weights: Weights, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the clients may need the cores
    return onnxruntime.InferenceSession(str(weights.onnx), options, providers=["CPUExecutionProvider"])
