"""Decodes the drawings of a source for a data set.

A few threads decode, since Pillow and numpy release the interpreter lock most of the time. What is read ahead is
bounded in bytes, because a drawing may be an array of 16 megapixels.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.datasets.dataset import ItemFacts, RefusedDrawing
from haleganada_server.core.errors import (
    Cancelled,
    DeadlineExceeded,
    Exhausted,
    HaleganadaError,
    InvalidInput,
    Unavailable,
)
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import count_pixels, dataset_raster, rasterize, rasterize_gray

from .sources import RefusedSource, SourceItem

_CHUNK = 16  # drawings decoded by one task
_CHUNK_BYTES = 2 * 2**20  # of files or arrays, as far as a single one is not larger
_READ_AHEAD_BYTES = 24 * 2**20  # in all chunks that wait for a thread
_MAX_THREADS = 4  # other calls need the cores, too

_MAX_NAME, _MAX_REASON = 200, 300  # characters: a thousand refused items go into one message


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded entry of the source. raster: its bytes, b"" if it was refused. pixels: of the image."""

    outcome: ItemFacts | RefusedDrawing
    raster: bytes = b""
    pixels: int = 0


def decode_all(entries: Iterator[SourceItem | RefusedSource], cancellation: Cancellation = NEVER) -> Iterator[Decoded]:
    """Decode all entries, in order; a few chunks at a time. Raises what the entries raise, Cancelled and
    DeadlineExceeded.
    """
    threads, stop = min(_MAX_THREADS, os.cpu_count() or 1), threading.Event()
    wanted = Cancellation(lambda: not stop.is_set() and cancellation.is_active(), cancellation.seconds_left)
    with ThreadPoolExecutor(threads, "dataset") as pool:
        pending: deque[tuple[int, Future[list[Decoded]]]] = deque()
        try:
            for size, chunk in _take_chunks(entries):
                pending.append((size, pool.submit(_decode_chunk, chunk, wanted)))
                del chunk
                while len(pending) > 2 * threads or sum(waiting for waiting, _ in pending) > _READ_AHEAD_BYTES:
                    yield from pending.popleft()[1].result()
            while pending:
                yield from pending.popleft()[1].result()
        finally:
            stop.set()
            for _, future in pending:
                future.cancel()


def _take_chunks(
    entries: Iterator[SourceItem | RefusedSource],
) -> Iterator[tuple[int, list[SourceItem | RefusedSource]]]:
    """Yield the entries in chunks, each with the number of bytes of its drawings."""
    chunk: list[SourceItem | RefusedSource] = []
    size = 0
    for entry in entries:
        chunk.append(entry)
        size += _count_bytes(entry)
        if len(chunk) == _CHUNK or size >= _CHUNK_BYTES:
            yield size, chunk
            chunk, size = [], 0
    if chunk:
        yield size, chunk


def _count_bytes(entry: SourceItem | RefusedSource) -> int:
    """Return the size of what an entry keeps in memory."""
    if isinstance(entry, RefusedSource):
        return 0
    if isinstance(entry.image, Glyph):
        return entry.image.memory_bytes
    return entry.image.nbytes if isinstance(entry.image, np.ndarray) else len(entry.image)


def _decode_chunk(entries: list[SourceItem | RefusedSource], cancellation: Cancellation) -> list[Decoded]:
    """Decode the entries and empty the list, so that each is kept no longer than it takes. Raises Cancelled,
    DeadlineExceeded.
    """
    decoded = []
    entries.reverse()
    while entries:
        cancellation.check()
        entry = entries.pop()
        if isinstance(entry, RefusedSource):
            decoded.append(_refuse(entry.item, entry.error))
        else:
            decoded.append(_decode(entry, cancellation))
    return decoded


def _decode(item: SourceItem, cancellation: Cancellation) -> Decoded:
    try:
        ink, pixels = _to_ink(item.image, cancellation)
    except (Cancelled, DeadlineExceeded, Exhausted, Unavailable):  # not the drawing's fault
        raise
    except HaleganadaError as error:
        return _refuse(item.item, error)
    raster = dataset_raster(ink).tobytes()
    digest = hashlib.blake2b(raster, digest_size=16).digest()
    facts = ItemFacts(
        item=_shorten(item.item),
        label=item.label,
        folder=item.folder,
        part=item.part,
        writer=item.writer,
        digest=digest,
    )
    return Decoded(facts, raster, pixels)


def _to_ink(image: bytes | NDArray[np.uint8] | Glyph, cancellation: Cancellation) -> tuple[NDArray[np.uint8], int]:
    """Return the ink raster, and the number of pixels of the image. Raises InvalidInput, Cancelled."""
    if isinstance(image, np.ndarray):
        return rasterize_gray(image, cancellation), image.size
    glyph = image if isinstance(image, Glyph) else Glyph(image=image)
    ink = rasterize(glyph, cancellation=cancellation)
    return ink, count_pixels(glyph.image) if glyph.image else ink.size


def _refuse(item: str, error: HaleganadaError) -> Decoded:
    """Describe a refused item without the field of the call, which means nothing to the author of the files."""
    why = error.description if isinstance(error, InvalidInput) else error.message
    return Decoded(RefusedDrawing(_shorten(item), error.reason, _escape(why)[:_MAX_REASON]))


def _shorten(name: str) -> str:
    """Return the end of a long name, which says more than its beginning."""
    return _escape(name)[-_MAX_NAME:]


def _escape(text: str) -> str:
    """Escape what is not UTF-8, since file names need not be."""
    return text.encode("utf-8", "backslashreplace").decode()
