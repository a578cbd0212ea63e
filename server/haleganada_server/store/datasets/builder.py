"""Builds a data set from one source: drawings are rasterized to a temporary file, then sorted into arrays.

A few threads decode the drawings, since Pillow and numpy release the interpreter lock most of the time. Rasters go
straight to disk, so that a million of them takes no more memory than a thousand.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from haleganada_server.core.datasets.assembly import Assembled
from haleganada_server.core.datasets.dataset import DATASET_SIDE, DatasetInfo, DatasetNote, ItemFacts, RefusedDrawing
from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.store import files
from haleganada_server.vision import count_pixels, dataset_raster, rasterize, rasterize_gray

from .sources import MAX_TOTAL_PIXELS, RefusedSource, SourceItem, require_items

DATASET_JSON = "dataset.json"
FORMAT = 1
_CHUNK = 16  # drawings decoded by one task; their files, up to 8 MiB each, are in memory
_MAX_THREADS = 4  # other calls need the cores, too
_SORTED_CHUNK = 4096  # rasters in memory while they are sorted

_MAX_NAME, _MAX_REASON = 200, 300  # characters: a thousand refused items go into one message


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One decoded entry of the source. raster: its bytes, b"" if it was refused. pixels: of the image."""

    outcome: ItemFacts | RefusedDrawing
    raster: bytes = b""
    pixels: int = 0


class DatasetFolderBuilder:
    """core.datasets.datasets.DatasetBuilder: works in the folder `scratch`, and renames the result to its target."""

    def __init__(
        self,
        entries: Iterator[SourceItem | RefusedSource],
        notes: Sequence[DatasetNote],
        scratch: Path,
        get_target: Callable[[str], Path],
    ) -> None:
        """notes: about the source; may grow while its entries are read. get_target: returns the data set's final folder
        for its id.
        """
        self.notes = notes
        self._entries, self._get_target = entries, get_target
        self._unsorted, self._folder = scratch / "rasters", scratch / "dataset"

    def items(self) -> Generator[ItemFacts | RefusedDrawing, None, None]:
        pixels = count = 0
        with self._unsorted.open("wb") as file:
            for decoded in _decode_all(self._entries):
                pixels, count = pixels + decoded.pixels, count + 1
                require_items(count)
                if pixels > MAX_TOTAL_PIXELS:
                    raise InvalidInput("file", f"has over {MAX_TOTAL_PIXELS:,} pixels in total; send smaller images")
                file.write(decoded.raster)
                yield decoded.outcome

    def build(self, info: DatasetInfo, assembled: Assembled) -> DatasetInfo:
        self._folder.mkdir()
        labels = np.array(assembled.label_ids, np.int32)
        parts = np.array(assembled.parts, np.uint8)
        digest = hashlib.sha256(json.dumps([count.label for count in info.labels], ensure_ascii=False).encode())
        for name, array in (
            ("labels", labels),
            ("parts", parts),
            ("writers", np.array(assembled.writer_ids, np.int32)),
        ):
            np.save(self._folder / f"{name}.npy", array, allow_pickle=False)
        digest.update(labels.astype("<i4").tobytes() + parts.tobytes())
        self._write_rasters(assembled.order, digest)
        info = replace(info, sha256=digest.hexdigest())
        entry = {"format": FORMAT, **asdict(info)}
        (self._folder / DATASET_JSON).write_text(json.dumps(entry, ensure_ascii=False, indent=1), encoding="utf-8")
        target = self._get_target(info.dataset_id)
        _move_into_place(self._folder, target)
        return replace(info, bytes_on_disk=folder_bytes(target))

    def _write_rasters(self, order: list[int], digest: Any) -> None:
        """Write rasters.npy, sorted; not through a mapped file, with which a full disk would kill the process."""
        unsorted = np.memmap(self._unsorted, np.uint8, "r").reshape(-1, DATASET_SIDE, DATASET_SIDE)
        with (self._folder / "rasters.npy").open("wb") as file:
            _write_header(file, len(order))
            for start in range(0, len(order), _SORTED_CHUNK):
                rasters = unsorted[order[start : start + _SORTED_CHUNK]].tobytes()
                digest.update(rasters)
                file.write(rasters)


def folder_bytes(folder: Path) -> int:
    """Return the size in bytes of the files in a data set's folder."""
    return sum(path.stat().st_size for path in folder.iterdir())


def _decode_all(entries: Iterator[SourceItem | RefusedSource]) -> Iterator[_Decoded]:
    """Decode all entries, in order; a few chunks at a time."""
    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, "dataset") as pool:
        pending: deque[Future[list[_Decoded]]] = deque()
        try:
            while chunk := list(islice(entries, _CHUNK)):
                pending.append(pool.submit(_decode_chunk, chunk))
                if len(pending) > 2 * threads:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _decode_chunk(entries: Iterable[SourceItem | RefusedSource]) -> list[_Decoded]:
    return [
        _refuse(entry.item, entry.error) if isinstance(entry, RefusedSource) else _decode(entry) for entry in entries
    ]


def _decode(item: SourceItem) -> _Decoded:
    try:
        ink, pixels = _to_ink(item.image)
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
    return _Decoded(facts, raster, pixels)


def _to_ink(image: bytes | NDArray[np.uint8] | Glyph) -> tuple[NDArray[np.uint8], int]:
    """Return the ink raster, and the number of pixels of the image. Raises InvalidInput."""
    if isinstance(image, np.ndarray):
        return rasterize_gray(image), image.size
    glyph = image if isinstance(image, Glyph) else Glyph(image=image)
    ink = rasterize(glyph)
    return ink, count_pixels(glyph.image) if glyph.image else ink.size


def _refuse(item: str, error: HaleganadaError) -> _Decoded:
    """Describe a refused item without the field of the call, which means nothing to the author of the files."""
    why = error.description if isinstance(error, InvalidInput) else error.message
    return _Decoded(RefusedDrawing(_shorten(item), error.reason, _escape(why)[:_MAX_REASON]))


def _shorten(name: str) -> str:
    """Return the end of a long name, which says more than its beginning."""
    return _escape(name)[-_MAX_NAME:]


def _escape(text: str) -> str:
    """Escape what is not UTF-8, since file names need not be."""
    return text.encode("utf-8", "backslashreplace").decode()


def _write_header(file: IO[bytes], count: int) -> None:
    shape = (count, DATASET_SIDE, DATASET_SIDE)
    npy.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _move_into_place(folder: Path, target: Path) -> None:
    for path in folder.iterdir():
        files.sync_file(path)
    files.sync_folder(folder)
    folder.replace(target)
    files.sync_folder(target.parent)
