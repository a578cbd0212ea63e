"""Training batches, each a function of (seed, step): a resumed run sees what an uninterrupted one would have seen."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

import numpy as np
from numpy.typing import NDArray

from haleganada_server.training.classes import Families
from haleganada_server.training.library import Folders, Library, load_library

BatchStream = Generator[NDArray[np.uint8], None, None]
"""Batches without end; closing it stops what makes them."""


@dataclass(frozen=True)
class BatchShape:
    """Sizes of one training step."""

    families: int = 4
    family_size: int = 12
    drawings: int = 4

    @property
    def ways(self) -> int:
        """Characters in a batch."""
        return self.families * self.family_size


def make_batch(families: Families, shape: BatchShape, seed: int, step: int) -> NDArray[np.uint8]:
    """(ways, drawings, 64, 64), 255 = ink."""
    rng = np.random.default_rng([seed, step])
    rasters = []
    for _ in range(shape.families):
        for character in families.family(rng, shape.family_size):
            rasters.append(np.stack(character(rng, shape.drawings)))
    return np.stack(rasters)


def inline_batches(library: Library, shape: BatchShape, seed: int, first: int) -> BatchStream:
    """Batches made in this process, from step `first` on."""
    families = Families(library)
    step = first
    while True:
        yield make_batch(families, shape, seed, step)
        step += 1


def _produce(
    out: multiprocessing.Queue[NDArray[np.uint8]], folders: Folders, shape: BatchShape, seed: int, first: int
) -> None:
    """Body of the renderer process."""
    import cv2

    cv2.setNumThreads(1)
    out.cancel_join_thread()
    for batch in inline_batches(load_library(folders), shape, seed, first):
        if not _offered(out, batch):
            return


def _offered(out: multiprocessing.Queue[NDArray[np.uint8]], batch: NDArray[np.uint8]) -> bool:
    """Wait for room; False if the trainer is gone, for one that was killed cannot end its renderer."""
    trainer = multiprocessing.parent_process()
    while trainer is None or trainer.is_alive():
        try:
            out.put(batch, timeout=1)
        except queue.Full:
            continue
        return True
    return False


def background_batches(folders: Folders, shape: BatchShape, seed: int, first: int) -> BatchStream:
    """The same batches from a process of their own, a few ahead. The process ends with the iterator."""
    # Tracing uses all cores by processes of its own, which the renderer, being a daemon, could not start.
    load_library(folders)
    context = multiprocessing.get_context("spawn")
    waiting: multiprocessing.Queue[NDArray[np.uint8]] = context.Queue(8)
    process = context.Process(target=_produce, args=(waiting, folders, shape, seed, first), daemon=True)
    process.start()
    try:
        while True:
            yield _next_batch(waiting, process)
    finally:
        process.terminate()
        process.join()


def _next_batch(waiting: multiprocessing.Queue[NDArray[np.uint8]], process: BaseProcess) -> NDArray[np.uint8]:
    """The next batch; raises rather than waiting for a renderer that has died."""
    while True:
        try:
            return waiting.get(timeout=5)
        except queue.Empty:
            if not process.is_alive():
                raise RuntimeError(f"the renderer process ended with exit code {process.exitcode}") from None
