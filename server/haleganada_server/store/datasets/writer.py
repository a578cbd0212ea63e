"""One source while it becomes a data set: drawings in, rasters in a spool on disk, arrays out.

Drawings are read by a few threads, which Pillow and numpy leave free for one another most of the time; rasters go to
disk as they come, so that a million of them takes no more memory than a thousand.
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
from haleganada_server.vision import dataset_raster, image_pixels, rasterize, rasterize_gray

from .sources import MAX_TOTAL_PIXELS, RefusedSource, SourceItem, require_items

DATASET_JSON = "dataset.json"
FORMAT = 1
_PIECE = 16  # drawings that a thread reads at a time; their files, up to 8 MiB each, are in memory
_THREADS = 4  # at most: other calls want to be answered, too
_GATHERED = 4096  # rasters in memory while they are put in order

_LONGEST_NAME, _LONGEST_REASON = 200, 300  # characters: a thousand refused items travel in one message


@dataclass(frozen=True, slots=True)
class _Read:
    """What became of one entry of the source. raster: its bytes, b"" if it was refused. pixels: that it had."""

    outcome: ItemFacts | RefusedDrawing
    raster: bytes = b""
    pixels: int = 0


class DatasetFolderBuilder:
    """core.datasets.DatasetBuilder: a spool in the folder `scratch`, a finished data set renamed to `target`."""

    def __init__(
        self,
        entries: Iterator[SourceItem | RefusedSource],
        notes: Sequence[DatasetNote],
        scratch: Path,
        target: Callable[[str], Path],
    ) -> None:
        """notes: of the source; may grow while its entries are read."""
        self.notes = notes
        self._entries, self._target = entries, target
        self._spool, self._folder = scratch / "spool", scratch / "dataset"

    def items(self) -> Generator[ItemFacts | RefusedDrawing, None, None]:
        pixels = count = 0
        with self._spool.open("wb") as spool:
            for read in _read_all(self._entries):
                pixels, count = pixels + read.pixels, count + 1
                require_items(count)
                if pixels > MAX_TOTAL_PIXELS:
                    raise InvalidInput("file", f"has over {MAX_TOTAL_PIXELS:,} pixels in all; send smaller images")
                spool.write(read.raster)
                yield read.outcome

    def keep(self, info: DatasetInfo, assembled: Assembled) -> DatasetInfo:
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
        target = self._target(info.dataset_id)
        _put_in_place(self._folder, target)
        return replace(info, bytes_on_disk=folder_bytes(target))

    def _write_rasters(self, order: list[int], digest: Any) -> None:
        """rasters.npy from the spool; by plain writes, since a full disk behind a mapped file kills the process."""
        spool = np.memmap(self._spool, np.uint8, "r").reshape(-1, DATASET_SIDE, DATASET_SIDE)
        with (self._folder / "rasters.npy").open("wb") as file:
            _write_header(file, len(order))
            for start in range(0, len(order), _GATHERED):
                rasters = spool[order[start : start + _GATHERED]].tobytes()
                digest.update(rasters)
                file.write(rasters)


def folder_bytes(folder: Path) -> int:
    """Bytes of the files in a data set's folder."""
    return sum(path.stat().st_size for path in folder.iterdir())


def _read_all(entries: Iterator[SourceItem | RefusedSource]) -> Iterator[_Read]:
    """Every entry with its raster, in order; a few pieces are on their way at once."""
    threads = min(_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, "dataset") as pool:
        waiting: deque[Future[list[_Read]]] = deque()
        try:
            while piece := list(islice(entries, _PIECE)):
                waiting.append(pool.submit(_read_piece, piece))
                if len(waiting) > 2 * threads:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _read_piece(entries: Iterable[SourceItem | RefusedSource]) -> list[_Read]:
    return [
        _refused(entry.item, entry.error) if isinstance(entry, RefusedSource) else _read(entry) for entry in entries
    ]


def _read(item: SourceItem) -> _Read:
    try:
        ink, pixels = _ink(item.image)
    except HaleganadaError as error:
        return _refused(item.item, error)
    raster = dataset_raster(ink).tobytes()
    digest = hashlib.blake2b(raster, digest_size=16).digest()
    facts = ItemFacts(_shown(item.item), item.label, item.folder, item.part, item.writer, digest)
    return _Read(facts, raster, pixels)


def _ink(image: bytes | NDArray[np.uint8] | Glyph) -> tuple[NDArray[np.uint8], int]:
    """The ink raster, and how many pixels were read for it. Raises InvalidInput."""
    if isinstance(image, np.ndarray):
        return rasterize_gray(image), image.size
    glyph = image if isinstance(image, Glyph) else Glyph(image=image)
    ink = rasterize(glyph)
    return ink, image_pixels(glyph.image) if glyph.image else ink.size


def _refused(item: str, error: HaleganadaError) -> _Read:
    """Without the field of a call, of which whoever made the files knows nothing: the item's name says what it is."""
    why = error.description if isinstance(error, InvalidInput) else error.message
    return _Read(RefusedDrawing(_shown(item), error.reason, _text(why)[:_LONGEST_REASON]))


def _shown(name: str) -> str:
    """The end of a long name tells more than its beginning."""
    return _text(name)[-_LONGEST_NAME:]


def _text(text: str) -> str:
    """With escapes for what is not text: names of files need not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _write_header(file: IO[bytes], count: int) -> None:
    shape = (count, DATASET_SIDE, DATASET_SIDE)
    npy.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _put_in_place(folder: Path, target: Path) -> None:
    for path in folder.iterdir():
        files.sync_file(path)
    files.sync_folder(folder)
    folder.replace(target)
    files.sync_folder(target.parent)
