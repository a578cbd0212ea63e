"""Training batches, each a function of (seed, step), so that a resumed run sees the same ones."""

from __future__ import annotations

import itertools
import multiprocessing
import queue
from collections.abc import Generator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .classes import Families
from .library import Folders, Library, load_library
from .rasters import SIDE

BatchStream = Generator[NDArray[np.uint8], None, None]
"""Endless batches; closing it stops the processes that make them."""
BatchQueue: TypeAlias = "multiprocessing.Queue[NDArray[np.uint8]]"


@dataclass(frozen=True)
class BatchShape:
    """Shape of one batch."""

    families: int = 4
    family_size: int = 12
    drawings: int = 4
    side: int = SIDE
    """Side of a raster in pixels."""

    @property
    def ways(self) -> int:
        """Characters in a batch."""
        return self.families * self.family_size


def make_batch(families: Families, shape: BatchShape, seed: int, step: int) -> NDArray[np.uint8]:
    """Return a batch (ways, drawings, side, side), 255 = ink."""
    rng = np.random.default_rng([seed, step])
    rasters = []
    for _ in range(shape.families):
        for character in families.draw_family(rng, shape.family_size):
            rasters.append(np.stack(character(rng, shape.drawings, shape.side)))
    return np.stack(rasters)


def inline_batches(library: Library, shape: BatchShape, seed: int, first: int, every: int = 1) -> BatchStream:
    """Yield the batches of steps `first`, `first + every` and so on, made in this process."""
    families = Families(library)
    for step in itertools.count(first, every):
        yield make_batch(families, shape, seed, step)


def _produce(out: BatchQueue, folders: Folders, shape: BatchShape, seed: int, first: int, every: int) -> None:
    """Run a renderer process."""
    import cv2

    cv2.setNumThreads(1)
    out.cancel_join_thread()
    for batch in inline_batches(load_library(folders), shape, seed, first, every):
        if not _put(out, batch):
            return


def _put(out: BatchQueue, batch: NDArray[np.uint8]) -> bool:
    """Put a batch once there is room. Return False if the trainer is gone: a killed one cannot stop its renderers."""
    trainer = multiprocessing.parent_process()
    while trainer is None or trainer.is_alive():
        try:
            out.put(batch, timeout=1)
        except queue.Full:
            continue
        return True
    return False


def background_batches(
    folders: Folders, shape: BatchShape, seed: int, first: int, renderers: int = 1, every: int = 1
) -> BatchStream:
    """Yield the batches that inline_batches does from renderer processes, which work a few ahead, in turns, and stop
    with the iterator.
    """
    # Traced here first: tracing starts processes of its own, which a renderer, being a daemon, cannot.
    load_library(folders)
    starts = range(first, first + renderers * every, every)
    processes = [_Renderer.start(folders, shape, seed, start, renderers * every) for start in starts]
    try:
        for renderer in itertools.cycle(processes):
            yield renderer.next()
    finally:
        for renderer in processes:
            renderer.process.terminate()
            renderer.process.join()


@dataclass(frozen=True)
class _Renderer:
    """A renderer process and its queue of batches."""

    process: BaseProcess
    batches: BatchQueue

    @classmethod
    def start(cls, *task: object) -> _Renderer:
        """Start a process. task: the arguments of _produce after the queue."""
        context = multiprocessing.get_context("spawn")
        batches: BatchQueue = context.Queue(8)
        process = context.Process(target=_produce, args=(batches, *task), daemon=True)
        process.start()
        return cls(process, batches)

    def next(self) -> NDArray[np.uint8]:
        """Return the next batch. Raises RuntimeError if the renderer has died."""
        while True:
            try:
                return self.batches.get(timeout=5)
            except queue.Empty:
                if not self.process.is_alive():
                    raise RuntimeError(f"a renderer ended with exit code {self.process.exitcode}") from None
