"""Builds a data set of lines: pictures go to a temporary file as they are decoded, then sorted into the data set.

pictures.npy has the PNG files of the lines one after another, ends.npy where each ends, texts.txt a text in each row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.datasets.assembly import Assembled
from haleganada_server.core.datasets.dataset import DatasetInfo, DatasetKind, DatasetNote, ItemFacts, RefusedDrawing
from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.machine_errors import raise_machine_error
from haleganada_server.vision.line_pictures import decode_line, encode_line

from .builder import finish_dataset
from .decoding import refuse_item, shorten_name
from .sources import RefusedSource, SourceItem, require_items, require_pixels


class LineFolderBuilder:
    """core.datasets.datasets.DatasetBuilder for lines."""

    kind = DatasetKind.LINES

    def __init__(
        self,
        entries: Iterator[SourceItem | RefusedSource],
        notes: Sequence[DatasetNote],
        scratch: Path,
        get_target: Callable[[str], Path],
    ) -> None:
        """As DatasetFolderBuilder."""
        self.notes = notes
        self._entries, self._get_target = entries, get_target
        self._unsorted, self._folder = scratch / "pictures", scratch / "dataset"
        self._places: list[tuple[int, int]] = []  # where the picture of each item begins and ends
        self._texts: list[str] = []

    def items(self, cancellation: Cancellation = NEVER) -> Generator[ItemFacts | RefusedDrawing, None, None]:
        pixels = count = place = 0
        with self._unsorted.open("wb") as file:
            for entry in self._entries:
                cancellation.check()
                count += 1
                require_items(count)
                if isinstance(entry, RefusedSource):
                    yield refuse_item(entry.item, entry.error)
                    continue
                try:
                    png, taken = _decode(entry, cancellation)
                except InvalidInput as error:
                    yield refuse_item(entry.item, error)
                    continue
                pixels += taken
                require_pixels(pixels)
                file.write(png)
                self._places.append((place, place + len(png)))
                self._texts.append(entry.label)
                place += len(png)
                yield _describe(entry, png)

    def build(self, info: DatasetInfo, assembled: Assembled) -> DatasetInfo:
        self._folder.mkdir()
        texts = "".join(f"{self._texts[i]}\n" for i in assembled.order).encode()
        (self._folder / "texts.txt").write_bytes(texts)
        ends = np.cumsum([self._places[i][1] - self._places[i][0] for i in assembled.order], dtype="<i8")
        parts = np.array(assembled.parts, np.uint8)
        writers = np.array(assembled.writer_ids, np.int32)
        for name, array in (("ends", ends), ("parts", parts), ("writers", writers)):
            np.save(self._folder / f"{name}.npy", array, allow_pickle=False)
        digest = hashlib.sha256(texts + ends.tobytes() + parts.tobytes())
        with (self._folder / "pictures.npy").open("wb") as file, self._unsorted.open("rb") as unsorted:
            header = {"descr": "|u1", "fortran_order": False, "shape": (int(ends[-1]),)}
            npy.write_array_header_1_0(file, header)
            for start, end in (self._places[i] for i in assembled.order):
                unsorted.seek(start)
                picture = unsorted.read(end - start)
                digest.update(picture)
                file.write(picture)
        return finish_dataset(replace(info, sha256=digest.hexdigest()), self._folder, self._get_target)


def _decode(entry: SourceItem, cancellation: Cancellation) -> tuple[bytes, int]:
    if not isinstance(entry.image, bytes | np.ndarray):
        raise InvalidInput("image", "is missing; send the picture of a line")
    try:
        line, pixels = decode_line(entry.image, cancellation)
    except HaleganadaError:
        raise
    except Exception as error:
        raise_machine_error(error)
        raise
    return encode_line(line), pixels


def _describe(entry: SourceItem, png: bytes) -> ItemFacts:
    return ItemFacts(
        item=shorten_name(entry.item),
        label=entry.label,
        folder="",
        part=entry.part,
        writer=entry.writer,
        digest=hashlib.blake2b(png, digest_size=16).digest(),
    )
