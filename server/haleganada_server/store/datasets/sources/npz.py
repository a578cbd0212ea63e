"""NumPy archives: x or images (n, h, w) uint8 or bool, y or labels; optionally names, split, writer.

Images and labels may also come as x_train, y_train, x_test and so on. The arrays are read from their members piece by
piece, never by numpy.load: what a stranger sends decides neither how much memory it takes nor what is unpickled.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.store.formats import zip_files

from .source_item import MAX_ITEMS, MAX_PIXELS, LabelName, RefusedSource, SourceItem, label_name, part_named

_IMAGES, _LABELS, _WRITERS, _SPLITS = ("x", "images"), ("y", "labels"), ("writer", "writers"), ("split", "splits")
_NAMES = ("unicode", "names", "classes")
_ENDINGS = ("", "_train", "_val", "_validation", "_test")
_MAX_TABLE_BYTES = 128 * 2**20  # of labels, names and the like
_LIMITS = zip_files.ZipLimits(members=100, total_bytes=32 * 2**30)
_KIND = "NumPy archive"
_DESCRIPTION = (
    "needs arrays x or images (n, h, w) of uint8 or bool and y or labels; for several parts x_train, y_train and so on"
)


def read(path: Path) -> Iterator[SourceItem | RefusedSource]:
    """Raises InvalidInput if the arrays are missing or do not fit each other."""
    with zip_files.opened(path, _LIMITS, _KIND) as file:
        arrays = _Arrays(file)
        endings = [ending for ending in _ENDINGS if arrays.named(_IMAGES, ending)]
        if not endings:
            raise InvalidInput("file", _DESCRIPTION)
        names = arrays.table(_NAMES, "")
        for ending in endings:
            yield from _drawings(arrays, ending, names)


class _Arrays:
    """The arrays of an archive by name."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._members = {info.filename.removesuffix(".npy"): info for info in file.infolist()}

    def named(self, names: tuple[str, ...], ending: str) -> str | None:
        """The first of the names, with the ending, that there is."""
        return next((name + ending for name in names if name + ending in self._members), None)

    def table(self, names: tuple[str, ...], ending: str) -> NDArray[Any] | None:
        """A whole one-dimensional array; None if there is none of these names. Raises InvalidInput."""
        name = self.named(names, ending)
        if name is None:
            return None
        with self.opened(name) as (file, shape, kind):
            if len(shape) != 1 or shape[0] > MAX_ITEMS or shape[0] * kind.itemsize > _MAX_TABLE_BYTES:
                raise InvalidInput(
                    "file", f"has an array {name} of shape {shape}; it must be a list of at most {MAX_ITEMS:,}"
                )
            return np.frombuffer(_exactly(file, shape[0] * kind.itemsize, name), kind)

    def opened(self, name: str) -> _OpenArray:
        """An array to read from. Raises InvalidInput for what would have to be unpickled."""
        return _OpenArray(self._file, self._members[name], name)


class _OpenArray:
    """A member, its shape and its type; to be used in a with statement."""

    def __init__(self, file: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
        with zip_files.damage_as_invalid_input(_KIND):
            self._file = file.open(info)
        self._name = name

    def __enter__(self) -> tuple[IO[bytes], tuple[int, ...], np.dtype[Any]]:
        with zip_files.damage_as_invalid_input(_KIND):
            version = npy.read_magic(self._file)
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, fortran, kind = read_header(self._file)
        if kind.hasobject or kind.kind not in "buiUS":
            raise InvalidInput("file", f"has an array {self._name} of type {kind}; store numbers or text")
        if fortran and len(shape) > 1:
            raise InvalidInput(
                "file", f"has an array {self._name} in Fortran order; store numpy.ascontiguousarray of it"
            )
        return self._file, shape, kind

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _drawings(arrays: _Arrays, ending: str, names: NDArray[Any] | None) -> Iterator[SourceItem | RefusedSource]:
    labels = arrays.table(_LABELS, ending)
    writers, splits = arrays.table(_WRITERS, ending), arrays.table(_SPLITS, ending)
    if labels is None:
        raise InvalidInput("file", _DESCRIPTION)
    known = {value: _label(value, names) for value in np.unique(labels).tolist()}
    part = part_named(ending.removeprefix("_"))
    title = arrays.named(_IMAGES, ending) or ""
    for i, image in enumerate(_images(arrays, title, len(labels), (writers, splits))):
        found = known[labels[i].item()]
        item = f"{title}[{i}]"
        if found.error is not None:
            yield RefusedSource(item, found.error)
            continue
        own = part if splits is None else _part(splits[i])
        yield SourceItem(item, found.label, found.folder, image, own, _writer(None if writers is None else writers[i]))


def _images(
    arrays: _Arrays, name: str, labels: int, beside: tuple[NDArray[Any] | None, ...]
) -> Iterator[NDArray[np.uint8]]:
    """(h, w) gray values, one by one."""
    with arrays.opened(name) as (file, shape, kind):
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
            pixels = np.frombuffer(_exactly(file, height * width, name), np.uint8).reshape(height, width)
            yield pixels if scale == 1 else (pixels != 0).astype(np.uint8) * np.uint8(scale)


def _label(value: int | str | bytes | bool, names: NDArray[Any] | None) -> LabelName:
    """Of one value of y: a text as it is, a number through the names, without names only a digit."""
    if isinstance(value, str | bytes):
        text = _text(value)
        return label_name(text, text)
    if names is None:
        if 0 <= value <= 9:
            return label_name(str(int(value)), str(int(value)))
        raise InvalidInput(
            "file", f"has the label {value}, and nothing says which character that is; add an array names, one a label"
        )
    if not 0 <= value < len(names):
        raise InvalidInput("file", f"has the label {value}, but {len(names)} names; each label is a place among them")
    text = _text(names[value].item())
    return label_name(text, text)


def _part(value: Any) -> Part:
    """train, validation or test, or their numbers 0, 1 and 2."""
    plain = value.item()
    text = _text(plain)
    part = (
        part_named(text) if not isinstance(plain, int) else {0: Part.TRAIN, 1: Part.VALIDATION, 2: Part.TEST}.get(plain)
    )
    if part is None:
        raise InvalidInput("file", f"has “{text[:40]}” in split; write train, validation or test, or 0, 1 or 2")
    return part


def _writer(value: Any) -> str:
    return "" if value is None else _text(value.item())


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _exactly(file: IO[bytes], count: int, name: str) -> bytes:
    with zip_files.damage_as_invalid_input(_KIND):
        data = file.read(count)
    if len(data) < count:
        raise InvalidInput("file", f"has an array {name} that ends too early; make it again")
    return data
