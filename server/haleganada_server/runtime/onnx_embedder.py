"""The embedder on the CPU, by onnxruntime.

A lone drawing is computed by all cores together, which halves its time. Concurrent drawings get one core each, which
wastes nothing. Large batches are split into micro-batches among the cores. All of these give the same embedding to the
last bit (a test checks it), so a drawing's embedding does not depend on what it is computed together with.
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

_MICRO_BATCH = 8  # drawings; larger ones are hardly faster, and leave the other cores idle at the end


class OnnxEmbedder:
    """core.glyphs.ports.Embedder by onnxruntime."""

    def __init__(self, weights: Weights, to_input: ToInput, threads: int | None = None) -> None:
        """to_input: converts rasters to the network's input. threads: for large batches; None = one per core."""
        self._threads = threads or os.cpu_count() or 1
        self._single_core = _open_session(weights, 1)
        self._all_cores = _open_session(weights, self._threads) if self._threads > 1 else self._single_core
        self._to_input = to_input
        self._hash = weights.hash
        self._pool = ThreadPoolExecutor(self._threads, "embed")
        self._active_calls = 0
        self._counter_lock = threading.Lock()

    @property
    def hash(self) -> str:
        return self._hash

    @property
    def device(self) -> str:
        return "cpu (onnxruntime)"

    def embed(self, rasters: Rasters) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 vectors, n >= 1."""
        with self._counter_lock:
            self._active_calls += 1
            alone = self._active_calls == 1
        try:
            if len(rasters) <= _MICRO_BATCH:
                return self._run(self._all_cores if alone else self._single_core, rasters)
            micro_batches = [rasters[start : start + _MICRO_BATCH] for start in range(0, len(rasters), _MICRO_BATCH)]
            return np.concatenate(list(self._pool.map(partial(self._run, self._single_core), micro_batches)))
        finally:
            with self._counter_lock:
                self._active_calls -= 1

    def embed_input(self, ink: NDArray[np.float32]) -> Vectors:
        """(n, 1, side, side) input of the network -> (n, d) float32 vectors, in micro-batches, on one core."""
        starts = range(0, len(ink), _MICRO_BATCH)
        return np.concatenate([_compute(self._single_core, ink[start : start + _MICRO_BATCH]) for start in starts])

    def _run(self, session: onnxruntime.InferenceSession, rasters: Rasters) -> Vectors:
        return _compute(session, self._to_input(rasters))


def _compute(session: onnxruntime.InferenceSession, ink: NDArray[np.float32]) -> Vectors:
    return np.asarray(session.run(["embedding"], {"ink": ink})[0])


def _open_session(weights: Weights, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # clients may need the cores
    return onnxruntime.InferenceSession(str(weights.onnx), options, providers=["CPUExecutionProvider"])
