"""NumPy archives: x or images (n, h, w) uint8 or bool, y or labels; optionally names, split, writer.

Images and labels may also be named x_train, y_train, x_test and so on. The arrays are read in chunks, never by
numpy.load: an untrusted file must not decide how much memory is used or what is unpickled.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.store.formats import zip_files

from .source_item import MAX_ITEMS, MAX_PIXELS, LabelName, RefusedSource, SourceItem, make_label_name, parse_part

_IMAGES, _LABELS, _WRITERS, _SPLITS = ("x", "images"), ("y", "labels"), ("writer", "writers"), ("split", "splits")
_NAMES = ("unicode", "names", "classes")
_SUFFIXES = ("", "_train", "_val", "_validation", "_test")
_MAX_TABLE_BYTES = 128 * 2**20  # of labels, names and the like
_LIMITS = zip_files.ZipLimits(members=100, total_bytes=32 * 2**30)
_KIND = "NumPy archive"
_DESCRIPTION = (
    "needs arrays x or images (n, h, w) of uint8 or bool and y or labels; for several parts x_train, y_train and so on"
)


def read(path: Path) -> Iterator[SourceItem | RefusedSource]:
    """Yield the drawings. Raises InvalidInput if arrays are missing or do not match."""
    with zip_files.open_zip(path, _LIMITS, _KIND) as file:
        arrays = _Arrays(file)
        suffixes = [suffix for suffix in _SUFFIXES if arrays.find(_IMAGES, suffix)]
        if not suffixes:
            raise InvalidInput("file", _DESCRIPTION)
        names = arrays.read_table(_NAMES, "")
        for suffix in suffixes:
            yield from _read_drawings(arrays, suffix, names)


class _Arrays:
    """The arrays of an archive by name."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._members = {info.filename.removesuffix(".npy"): info for info in file.infolist()}

    def find(self, names: tuple[str, ...], suffix: str) -> str | None:
        """Return the first of the names, with the suffix, that exists; None if none does."""
        return next((name + suffix for name in names if name + suffix in self._members), None)

    def read_table(self, names: tuple[str, ...], suffix: str) -> NDArray[Any] | None:
        """Return a whole one-dimensional array; None if none has one of these names. Raises InvalidInput."""
        name = self.find(names, suffix)
        if name is None:
            return None
        with self.open(name) as (file, shape, kind):
            if len(shape) != 1 or shape[0] > MAX_ITEMS or shape[0] * kind.itemsize > _MAX_TABLE_BYTES:
                raise InvalidInput(
                    "file", f"has an array {name} of shape {shape}; it must be a list of at most {MAX_ITEMS:,}"
                )
            return np.frombuffer(_read_exactly(file, shape[0] * kind.itemsize, name), kind)

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype[Any]]]:
        """Open an array for reading. Raises InvalidInput for one that would have to be unpickled."""
        with zip_files.damage_as_invalid_input(_KIND):
            file = self._file.open(self._members[name])
        with file:
            shape, fortran, kind = _read_header(file)
            if kind.hasobject or kind.kind not in "buiUS":
                raise InvalidInput("file", f"has an array {name} of type {kind}; store numbers or text")
            if fortran and len(shape) > 1:
                raise InvalidInput("file", f"has an array {name} in Fortran order; store numpy.ascontiguousarray of it")
            yield file, shape, kind


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, whether the order is Fortran's, and the type. Raises InvalidInput."""
    with zip_files.damage_as_invalid_input(_KIND):
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, kind = read(file)
    return shape, fortran, kind


def _read_drawings(arrays: _Arrays, suffix: str, names: NDArray[Any] | None) -> Iterator[SourceItem | RefusedSource]:
    labels = arrays.read_table(_LABELS, suffix)
    writers, splits = arrays.read_table(_WRITERS, suffix), arrays.read_table(_SPLITS, suffix)
    if labels is None:
        raise InvalidInput("file", _DESCRIPTION)
    known = {value: _name_label(value, names) for value in np.unique(labels).tolist()}
    part = parse_part(suffix.removeprefix("_"))
    title = arrays.find(_IMAGES, suffix) or ""
    for i, image in enumerate(_read_images(arrays, title, len(labels), (writers, splits))):
        found = known[labels[i].item()]
        item = f"{title}[{i}]"
        if found.error is not None:
            yield RefusedSource(item, found.error)
            continue
        item_part = part if splits is None else _parse_split(splits[i])
        writer = "" if writers is None else _to_text(writers[i].item())
        yield SourceItem(item=item, label=found.label, folder=found.folder, image=image, part=item_part, writer=writer)


def _read_images(
    arrays: _Arrays, name: str, labels: int, beside: tuple[NDArray[Any] | None, ...]
) -> Iterator[NDArray[np.uint8]]:
    """Yield (h, w) gray values, one image at a time."""
    with arrays.open(name) as (file, shape, kind):
        if len(shape) == 4 and 1 in (shape[1], shape[3]):
            shape = (shape[0], *(shape[1:3] if shape[3] == 1 else shape[2:4]))
        if len(shape) != 3 or kind not in (np.dtype(np.uint8), np.dtype(np.bool_)):
            raise InvalidInput("file", f"has images of shape {shape} and type {kind}; it {_DESCRIPTION}")
        count, height, width = shape
        if any(len(table) != count for table in beside if table is not None) or labels != count:
            raise InvalidInput("file", f"has {count:,} images but not as many labels, writers or splits")
        if count and not 0 < height * width <= MAX_PIXELS:
            raise InvalidInput("file", f"has images of {width} x {height} pixels")
        scale = 255 if kind.kind == "b" else 1
        for _ in range(count):
            pixels = np.frombuffer(_read_exactly(file, height * width, name), np.uint8).reshape(height, width)
            yield pixels if scale == 1 else (pixels != 0).astype(np.uint8) * np.uint8(scale)


def _name_label(value: int | str | bytes | bool, names: NDArray[Any] | None) -> LabelName:
    """Return the label for a value of y: text as it is, a number by its name, or without names a digit."""
    if isinstance(value, str | bytes):
        text = _to_text(value)
        return make_label_name(text, text)
    if names is None:
        if 0 <= value <= 9:
            return make_label_name(str(int(value)), str(int(value)))
        raise InvalidInput(
            "file", f"has the label {value}, but does not say which character that is; add an array of names"
        )
    if not 0 <= value < len(names):
        raise InvalidInput("file", f"has the label {value}, but only {len(names)} names; labels are indices into them")
    text = _to_text(names[value].item())
    return make_label_name(text, text)


def _parse_split(value: Any) -> Part:
    """Parse train, validation or test, or their numbers 0, 1 and 2. Raises InvalidInput."""
    plain = value.item()
    text = _to_text(plain)
    part = (
        parse_part(text) if not isinstance(plain, int) else {0: Part.TRAIN, 1: Part.VALIDATION, 2: Part.TEST}.get(plain)
    )
    if part is None:
        raise InvalidInput("file", f"has “{text[:40]}” in split; write train, validation or test, or 0, 1 or 2")
    return part


def _to_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _read_exactly(file: IO[bytes], count: int, name: str) -> bytes:
    with zip_files.damage_as_invalid_input(_KIND):
        data = file.read(count)
    if len(data) < count:
        raise InvalidInput("file", f"has a truncated array {name}; create it again")
    return data
