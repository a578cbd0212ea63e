"""The embedder on a CUDA device, by torch. This module is imported only if that is selected.

One thread owns the device. Waiting calls are embedded together (micro-batching), so many clients that send one drawing
each keep the device as busy as one client that sends many. Unlike on the CPU, the size of a batch may change an
embedding by about 1e-6, because CUDA chooses its kernels by size.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
import torch
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Unavailable

from .network import load_network
from .weights import Weights

Rasters = NDArray[np.uint8]  # (n, 128, 128)
Vectors = NDArray[np.float32]  # (n, d)
ToInput = Callable[[Rasters], NDArray[np.float32]]  # -> (n, 1, side, side), 0..1

_log = logging.getLogger(__name__)
_MAX_BATCH = 1024  # drawings; 16 MB of input
_Job = tuple[NDArray[np.float32], "Future[Vectors]"]


class TorchEmbedder:
    """core.glyphs.ports.Embedder by torch."""

    def __init__(self, weights: Weights, to_input: ToInput, device: str) -> None:
        """device: as torch names it, for example "cuda:0"."""
        self._network = load_network(weights.safetensors).to(device)
        self._to_input = to_input
        self._hash = weights.hash
        self._device = device
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="embed", daemon=True).start()

    @property
    def hash(self) -> str:
        return self._hash

    @property
    def device(self) -> str:
        return f"{self._device} (torch {torch.__version__})"

    def embed(self, rasters: Rasters) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 vectors, n >= 1. Raises Unavailable if the device fails."""
        ink = self._to_input(rasters)
        parts: list[Future[Vectors]] = []
        for start in range(0, len(ink), _MAX_BATCH):
            part: Future[Vectors] = Future()
            self._jobs.put((ink[start : start + _MAX_BATCH], part))
            parts.append(part)
        return np.concatenate([part.result() for part in parts])

    def _serve(self) -> None:
        next_job: _Job | None = None
        while True:
            jobs, next_job = self._collect_batch(next_job or self._jobs.get())
            try:
                vectors = self._run(np.concatenate([ink for ink, _ in jobs]))
            except RuntimeError:  # torch raises it for all failures, out of memory included
                _log.exception("the device %s failed", self._device)
                for _, part in jobs:
                    part.set_exception(Unavailable("the server's device failed; repeat the call", Reason.DEVICE_FAILED))
                continue
            start = 0
            for ink, part in jobs:
                part.set_result(vectors[start : start + len(ink)])
                start += len(ink)

    def _collect_batch(self, first: _Job) -> tuple[list[_Job], _Job | None]:
        """Return the first job and as many waiting ones as fit into a batch, and the first one that does not fit."""
        jobs, size = [first], len(first[0])
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, None
            if size + len(job[0]) > _MAX_BATCH:
                return jobs, job
            jobs.append(job)
            size += len(job[0])

    def _run(self, ink: NDArray[np.float32]) -> Vectors:
        # without TensorFloat-32, which rounds to 10 bits: embeddings must be close to those of the CPU
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            return np.asarray(self._network(torch.from_numpy(ink).to(self._device)).cpu().numpy())
