"""Training batches, each a function of (seed, step): a resumed run sees what an uninterrupted one would have seen."""

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
"""Batches without end; closing it stops what makes them."""
Waiting: TypeAlias = "multiprocessing.Queue[NDArray[np.uint8]]"


@dataclass(frozen=True)
class BatchShape:
    """Sizes of one training step."""

    families: int = 4
    family_size: int = 12
    drawings: int = 4
    side: int = SIDE
    """Of a raster."""

    @property
    def ways(self) -> int:
        """Characters in a batch."""
        return self.families * self.family_size


def make_batch(families: Families, shape: BatchShape, seed: int, step: int) -> NDArray[np.uint8]:
    """(ways, drawings, side, side), 255 = ink."""
    rng = np.random.default_rng([seed, step])
    rasters = []
    for _ in range(shape.families):
        for character in families.family(rng, shape.family_size):
            rasters.append(np.stack(character(rng, shape.drawings, shape.side)))
    return np.stack(rasters)


def inline_batches(library: Library, shape: BatchShape, seed: int, first: int, every: int = 1) -> BatchStream:
    """Batches made in this process, of the steps `first`, `first + every` and so on."""
    families = Families(library)
    for step in itertools.count(first, every):
        yield make_batch(families, shape, seed, step)


def _produce(out: Waiting, folders: Folders, shape: BatchShape, seed: int, first: int, every: int) -> None:
    """Body of a renderer process."""
    import cv2

    cv2.setNumThreads(1)
    out.cancel_join_thread()
    for batch in inline_batches(load_library(folders), shape, seed, first, every):
        if not _offered(out, batch):
            return


def _offered(out: Waiting, batch: NDArray[np.uint8]) -> bool:
    """Wait for room; False if the trainer is gone, for one that was killed cannot end its renderer."""
    trainer = multiprocessing.parent_process()
    while trainer is None or trainer.is_alive():
        try:
            out.put(batch, timeout=1)
        except queue.Full:
            continue
        return True
    return False


def background_batches(folders: Folders, shape: BatchShape, seed: int, first: int, renderers: int = 1) -> BatchStream:
    """The same batches from processes of their own, a few ahead, which take turns. They end with the iterator."""
    # Tracing uses all cores by processes of its own, which a renderer, being a daemon, could not start.
    load_library(folders)
    started = [_Renderer.start(folders, shape, seed, first + i, renderers) for i in range(renderers)]
    try:
        for renderer in itertools.cycle(started):
            yield renderer.next()
    finally:
        for renderer in started:
            renderer.process.terminate()
            renderer.process.join()


@dataclass(frozen=True)
class _Renderer:
    """A process and what it has made."""

    process: BaseProcess
    waiting: Waiting

    @classmethod
    def start(cls, *task: object) -> _Renderer:
        """task: what _produce takes behind the queue."""
        context = multiprocessing.get_context("spawn")
        waiting: Waiting = context.Queue(8)
        process = context.Process(target=_produce, args=(waiting, *task), daemon=True)
        process.start()
        return cls(process, waiting)

    def next(self) -> NDArray[np.uint8]:
        """The next batch; raises rather than waiting for a renderer that has died."""
        while True:
            try:
                return self.waiting.get(timeout=5)
            except queue.Empty:
                if not self.process.is_alive():
                    raise RuntimeError(f"a renderer ended with exit code {self.process.exitcode}") from None
