"""The embedder on CUDA devices, by torch. This module is imported only if that is selected.

One thread owns each device; all take from one queue. Waiting calls are embedded together (micro-batching), so many
clients that send one drawing each keep a device as busy as one client that sends many. Unlike on the CPU, the size of a
batch may change an embedding a little (cosine above 0.9999), because CUDA chooses its kernels by size. What a device
has no memory for is computed in smaller batches, and at last on the CPU (fitting.py).
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from haleganada_server.core.baton import without_baton
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Unavailable
from haleganada_server.core.glyphs.ports import DeviceState

from .fitting import DeviceFailed, FittingRunner, OutOfDeviceMemory
from .graph_network import GraphNetwork
from .onnx_embedder import OnnxEmbedder
from .weights import Weights

Rasters = NDArray[np.uint8]  # (n, 128, 128)
Vectors = NDArray[np.float32]  # (n, d)
Ink = NDArray[np.float32]  # (n, 1, side, side), 0..1
ToInput = Callable[[Rasters], Ink]

_log = logging.getLogger(__name__)
_MAX_BATCH = 1024  # drawings; 16 MB of input
_LEAST_PART = 16  # drawings that are worth another device
_Job = tuple[Ink, "Future[Vectors]"]


class TorchEmbedder:
    """core.glyphs.ports.Embedder by torch."""

    def __init__(
        self, weights: Weights, to_input: ToInput, devices: Sequence[str], memory_bytes: int | None = None
    ) -> None:
        """devices: as torch names them, for example "cuda:0". memory_bytes: of each that may be used; None = all.
        Raises RuntimeError or AssertionError if a device cannot be used.
        """
        self._weights, self._to_input = weights, to_input
        self._name = ",".join(devices)
        self._devices = [_Device(weights, device, memory_bytes) for device in devices]
        self._runners = [
            FittingRunner(device.name, device.run, self._run_on_cpu, _MAX_BATCH) for device in self._devices
        ]
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        for runner in self._runners:
            threading.Thread(target=self._serve, args=(runner,), name="embed", daemon=True).start()

    @property
    def hash(self) -> str:
        return self._weights.hash

    @property
    def device(self) -> str:
        return f"{self._name} (torch {torch.__version__})"

    def describe(self) -> DeviceState:
        """Return how the devices are right now, all together."""
        used, limits = zip(*(device.measure_memory() for device in self._devices), strict=True)
        note = "; ".join(runner.note for runner in self._runners if runner.note)
        is_known = None not in used
        return DeviceState(sum(used) if is_known else None, sum(limits) if is_known else None, note)

    def embed(self, rasters: Rasters) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 vectors, n >= 1. Raises Unavailable if even the CPU fails."""
        ink = self._to_input(rasters)
        size = min(_MAX_BATCH, max(_LEAST_PART, -(-len(ink) // len(self._devices))))
        parts: list[Future[Vectors]] = []
        for start in range(0, len(ink), size):
            part: Future[Vectors] = Future()
            self._jobs.put((ink[start : start + size], part))
            parts.append(part)
        with without_baton():
            return np.concatenate([part.result() for part in parts])

    def _serve(self, runner: FittingRunner) -> None:
        next_job: _Job | None = None
        while True:
            jobs, next_job = self._collect_batch(next_job or self._jobs.get())
            try:
                vectors = runner.run(np.concatenate([ink for ink, _ in jobs]))
            except Exception:  # of the CPU, which has taken over; a thread that ends would leave all calls waiting
                _log.exception("the embedder failed")
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

    def _run_on_cpu(self, ink: Ink) -> Vectors:
        return self._on_cpu.embed_input(ink)

    @cached_property
    def _on_cpu(self) -> OnnxEmbedder:
        """Loaded when it is needed first."""
        return OnnxEmbedder(self._weights, self._to_input)


class _Device:
    """The network on one device."""

    def __init__(self, weights: Weights, name: str, memory_bytes: int | None) -> None:
        self.name, self._limit = name, memory_bytes
        self._is_gpu = torch.device(name).type == "cuda"
        if self._is_gpu and memory_bytes is not None:
            total = torch.cuda.get_device_properties(name).total_memory
            torch.cuda.set_per_process_memory_fraction(min(1.0, memory_bytes / total), name)
        self._network = GraphNetwork(weights.onnx).to(name)

    def run(self, ink: Ink) -> Vectors:
        """Raises OutOfDeviceMemory, DeviceFailed."""
        try:
            return self._embed(ink)
        except torch.OutOfMemoryError as error:
            if self._is_gpu:
                torch.cuda.empty_cache()  # so that halves find what the whole has left
            raise OutOfDeviceMemory from error
        except RuntimeError as error:  # what torch raises for all other failures
            raise DeviceFailed from error

    def measure_memory(self) -> tuple[int | None, int | None]:
        """Return the bytes that this process uses, and may use; None, None for what is no GPU, or does not answer."""
        if not self._is_gpu:
            return None, None
        try:
            used, total = (
                torch.cuda.memory_reserved(self.name),
                torch.cuda.get_device_properties(self.name).total_memory,
            )
        except RuntimeError:
            return None, None
        return used, min(total, self._limit or total)

    def _embed(self, ink: Ink) -> Vectors:
        # without TensorFloat-32, which rounds to 10 bits: embeddings must be close to those of the CPU
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            return np.asarray(self._network(torch.from_numpy(ink).to(self.name)).cpu().numpy())
