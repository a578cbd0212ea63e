"""Decodes the drawings of a source for a data set.

A few threads decode, or leave small pictures to raster workers if there are many. What is read ahead is bounded in
bytes, because a drawing may be an array of 16 megapixels.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from dataclasses import dataclass

import numpy as np

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
from haleganada_server.core.glyphs.ports import LARGE_PICTURE
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.outcomes import Outcome, raise_if_error
from haleganada_server.runtime.processes.child_processes import usable_cores
from haleganada_server.runtime.processes.raster_messages import DecodedPicture, Picture
from haleganada_server.runtime.processes.raster_workers import RasterWorkers
from haleganada_server.vision import count_pixels_to_decode, dataset_raster, decode_for_dataset, rasterize

from .sources import RefusedSource, SourceItem

_CHUNK = 16  # drawings decoded by one task
_CHUNK_BYTES = 2 * 2**20  # of files or arrays, as far as a single one is not larger
_READ_AHEAD_BYTES = 24 * 2**20  # in all chunks that wait for a thread
_MAX_THREADS = 4  # other calls need the cores, too
_MANY = 512  # drawings that take as long as the start of raster workers
_POLL_S = 0.5  # how soon a caller that is gone, or a silent raster worker, is noticed

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
    threads, stop = min(_MAX_THREADS, usable_cores()), threading.Event()
    wanted = Cancellation(lambda: not stop.is_set() and cancellation.is_active(), cancellation.seconds_left)
    with RasterWorkers(threads if threads > 1 else 0) as workers, ThreadPoolExecutor(threads, "dataset") as pool:
        pending: deque[tuple[int, Future[list[Decoded]]]] = deque()
        taken = 0
        try:
            for size, chunk in _take_chunks(entries):
                taken += len(chunk)
                if taken >= _MANY:
                    workers.start()
                pending.append((size, pool.submit(_decode_chunk, chunk, workers, wanted)))
                del chunk
                while len(pending) > 2 * threads or sum(waiting for waiting, _ in pending) > _READ_AHEAD_BYTES:
                    yield from _wait_for(pending.popleft()[1], workers, wanted)
            while pending:
                yield from _wait_for(pending.popleft()[1], workers, wanted)
        finally:
            stop.set()
            workers.kill()
            for _, future in pending:
                future.cancel()


def _wait_for(future: Future[list[Decoded]], workers: RasterWorkers, cancellation: Cancellation) -> list[Decoded]:
    while True:
        try:
            return future.result(_POLL_S)
        except TimeoutError:
            cancellation.check()
            workers.kill_silent()


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


def _decode_chunk(
    entries: list[SourceItem | RefusedSource], workers: RasterWorkers, cancellation: Cancellation
) -> list[Decoded]:
    """Decode the entries and empty the list, so that each is kept no longer than it takes. Raises Cancelled,
    DeadlineExceeded.
    """
    cancellation.check()
    outcomes = _decode_by_workers(entries, workers)
    decoded = []
    while entries:
        cancellation.check()
        entry = entries.pop()
        if isinstance(entry, RefusedSource):
            decoded.append(Decoded(refuse_item(entry.item, entry.error)))
        else:
            decoded.append(_decode(entry, outcomes.get(len(entries)), cancellation))
    return decoded[::-1]


def _decode_by_workers(
    entries: Sequence[SourceItem | RefusedSource], workers: RasterWorkers
) -> dict[int, Outcome[DecodedPicture]]:
    """Return what became of the small pictures among the entries, by their places; {} if no worker can do it now.
    Large ones take turns in the server.
    """
    pictures: dict[int, Picture] = {}
    for place, entry in enumerate(entries):
        if isinstance(entry, SourceItem) and not isinstance(entry.image, Glyph) and _is_small(entry.image):
            pictures[place] = entry.image
    outcomes = workers.decode(list(pictures.values())) if pictures else None
    return dict(zip(pictures, outcomes, strict=True)) if outcomes else {}


def _is_small(picture: Picture) -> bool:
    pixels = count_pixels_to_decode(Glyph(image=picture)) if isinstance(picture, bytes) else picture.size
    return pixels <= LARGE_PICTURE


def _decode(item: SourceItem, outcome: Outcome[DecodedPicture] | None, cancellation: Cancellation) -> Decoded:
    """Describe a drawing, and decode it unless its outcome is known."""
    try:
        ink, pixels = _to_ink(item.image, cancellation) if outcome is None else raise_if_error(outcome)
    except (Cancelled, DeadlineExceeded, Exhausted, Unavailable):  # not the drawing's fault
        raise
    except HaleganadaError as error:
        return Decoded(refuse_item(item.item, error))
    raster = ink.tobytes()
    digest = hashlib.blake2b(raster, digest_size=16).digest()
    facts = ItemFacts(
        item=shorten_name(item.item),
        label=item.label,
        folder=item.folder,
        part=item.part,
        writer=item.writer,
        digest=digest,
    )
    return Decoded(facts, raster, pixels)


def _to_ink(image: Picture | Glyph, cancellation: Cancellation) -> DecodedPicture:
    """Return the ink that is stored, and the number of pixels of the drawing. Raises InvalidInput, Cancelled."""
    if not isinstance(image, Glyph):
        return decode_for_dataset(image, cancellation)
    if image.image:
        return decode_for_dataset(image.image, cancellation)
    raster = rasterize(image, cancellation=cancellation)
    return dataset_raster(raster), raster.size


def refuse_item(item: str, error: HaleganadaError) -> RefusedDrawing:
    """Describe a refused item without the field of the call, which means nothing to the author of the files."""
    why = error.description if isinstance(error, InvalidInput) else error.message
    return RefusedDrawing(shorten_name(item), error.reason, _escape(why)[:_MAX_REASON])


def shorten_name(name: str) -> str:
    """Return the end of a long name, which says more than its beginning."""
    return _escape(name)[-_MAX_NAME:]


def _escape(text: str) -> str:
    """Escape what is not UTF-8, since file names need not be."""
    return text.encode("utf-8", "backslashreplace").decode()
