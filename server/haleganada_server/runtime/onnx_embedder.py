"""The embedder on the CPU, by onnxruntime.

A drawing is computed by one core: several that share its small layers wait for each other longer than they compute.
Large batches are split into micro-batches among the cores. An embedding is the same to the last bit, alone and in a
batch of any size (a test checks it), so it does not depend on what is computed together with the drawing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from haleganada_server.core.baton import without_baton

from .weights import Weights

Rasters = NDArray[np.uint8]  # (n, 128, 128)
Vectors = NDArray[np.float32]  # (n, d)
ToInput = Callable[[Rasters], NDArray[np.float32]]  # -> (n, 1, side, side), 0..1

_MICRO_BATCH = 8  # drawings; larger ones are hardly faster, and leave the other cores idle at the end


class OnnxEmbedder:
    """core.glyphs.ports.Embedder by onnxruntime."""

    def __init__(self, weights: Weights, to_input: ToInput, threads: int | None = None) -> None:
        """to_input: converts rasters to the network's input. threads: for large batches; None = one per core."""
        self._threads = threads or os.cpu_count() or 1
        self._session = _open_session(weights)
        self._to_input = to_input
        self._hash = weights.hash
        self._pool = ThreadPoolExecutor(self._threads, "embed")

    @property
    def hash(self) -> str:
        return self._hash

    @property
    def device(self) -> str:
        return "cpu (onnxruntime)"

    def embed(self, rasters: Rasters) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 vectors, n >= 1."""
        if len(rasters) <= _MICRO_BATCH:
            return self._embed(rasters)
        micro_batches = [rasters[start : start + _MICRO_BATCH] for start in range(0, len(rasters), _MICRO_BATCH)]
        return np.concatenate(list(self._pool.map(self._embed, micro_batches)))

    def embed_input(self, ink: NDArray[np.float32]) -> Vectors:
        """(n, 1, side, side) input of the network -> (n, d) float32 vectors, in micro-batches, on one core."""
        starts = range(0, len(ink), _MICRO_BATCH)
        return np.concatenate([_compute(self._session, ink[start : start + _MICRO_BATCH]) for start in starts])

    def _embed(self, rasters: Rasters) -> Vectors:
        return _compute(self._session, self._to_input(rasters))


def _compute(session: onnxruntime.InferenceSession, ink: NDArray[np.float32]) -> Vectors:
    with without_baton():
        outputs = session.run(["embedding"], {"ink": ink})
    return np.asarray(outputs[0])


def _open_session(weights: Weights) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(weights.onnx), options, providers=["CPUExecutionProvider"])
