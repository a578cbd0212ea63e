"""Builds a data set from one source: drawings are rasterized to a temporary file, then sorted into arrays.

Rasters go straight to disk, so that a million of them takes no more memory than a thousand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.datasets.assembly import Assembled
from haleganada_server.core.datasets.dataset import (
    DATASET_SIDE,
    DatasetInfo,
    DatasetKind,
    DatasetNote,
    ItemFacts,
    RefusedDrawing,
)
from haleganada_server.core.disk.checksum import seal
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.store import files

from .decoding import decode_all
from .sources import RefusedSource, SourceItem, require_items, require_pixels

DATASET_JSON = "dataset.json"
FORMAT = 1
_SORTED_CHUNK = 4096  # rasters in memory while they are sorted


class DatasetFolderBuilder:
    """core.datasets.datasets.DatasetBuilder: works in the folder `scratch`, and renames the result to its target."""

    kind = DatasetKind.DRAWINGS

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

    def items(self, cancellation: Cancellation = NEVER) -> Generator[ItemFacts | RefusedDrawing, None, None]:
        pixels = count = 0
        with self._unsorted.open("wb") as file:
            for decoded in decode_all(self._entries, cancellation):
                pixels, count = pixels + decoded.pixels, count + 1
                require_items(count)
                require_pixels(pixels)
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
        return finish_dataset(replace(info, sha256=digest.hexdigest()), self._folder, self._get_target)

    def _write_rasters(self, order: list[int], digest: Any) -> None:
        """Write rasters.npy, sorted; not through a mapped file, with which a full disk would kill the process."""
        unsorted = np.memmap(self._unsorted, np.uint8, "r").reshape(-1, DATASET_SIDE, DATASET_SIDE)
        with (self._folder / "rasters.npy").open("wb") as file:
            _write_header(file, len(order))
            for start in range(0, len(order), _SORTED_CHUNK):
                rasters = unsorted[order[start : start + _SORTED_CHUNK]].tobytes()
                digest.update(rasters)
                file.write(rasters)


def finish_dataset(info: DatasetInfo, folder: Path, get_target: Callable[[str], Path]) -> DatasetInfo:
    """Describe a data set in its finished folder, move that into place, and return the description."""
    described = {name: value for name, value in asdict(info).items() if name not in ("damage", "kind")}
    entry = seal({"format": FORMAT, "kind": info.kind.value, **described})
    (folder / DATASET_JSON).write_text(json.dumps(entry, ensure_ascii=False, indent=1), encoding="utf-8")
    target = get_target(info.dataset_id)
    _move_into_place(folder, target)
    return replace(info, bytes_on_disk=folder_bytes(target))


def folder_bytes(folder: Path) -> int:
    """Return the size in bytes of the files in a data set's folder."""
    return sum(path.stat().st_size for path in folder.iterdir())


def _write_header(file: IO[bytes], count: int) -> None:
    shape = (count, DATASET_SIDE, DATASET_SIDE)
    npy.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _move_into_place(folder: Path, target: Path) -> None:
    for path in folder.iterdir():
        files.sync_file(path)
    files.sync_folder(folder)
    reach("dataset.synced")
    folder.replace(target)
    reach("dataset.renamed")
    files.sync_folder(target.parent)
