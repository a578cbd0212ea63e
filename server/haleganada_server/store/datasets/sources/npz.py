"""NumPy archives: x or images (n, h, w), y or labels; optionally names, split, writer.

Images and labels may also be named x_train, y_train, x_test and so on. Archives and arrays that hold either images or
labels, as numpy.savez names them without a name, are paired with the other file; see array_files.py.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import InvalidInput

from .npy import KIND, Array, decode_text, read_array
from .source_item import LabelName, RefusedSource, SourceItem, make_label_name, parse_part

LIMITS = zip_files.ZipLimits(members=100, total_bytes=32 * 2**30)
_IMAGES, _LABELS, _WRITERS, _SPLITS = ("x", "images"), ("y", "labels"), ("writer", "writers"), ("split", "splits")
_NAMES = ("unicode", "names", "classes")
_SUFFIXES = ("", "_train", "_val", "_validation", "_test")
_DESCRIPTION = (
    "needs arrays x or images (n, h, w) of gray values and y or labels; for several parts x_train, y_train and so on; "
    "or zip a file of images with its file of labels"
)


def read(path: Path) -> Iterator[SourceItem | RefusedSource]:
    """Yield the drawings. Raises InvalidInput if arrays are missing or do not match."""
    with zip_files.open_zip(path, LIMITS, KIND) as file:
        yield from read_arrays(list_arrays(file))


def read_arrays(arrays: Arrays) -> Iterator[SourceItem | RefusedSource]:
    """Yield the drawings of an open archive. Raises InvalidInput if arrays are missing or do not match."""
    suffixes = [suffix for suffix in _SUFFIXES if arrays.find(_IMAGES, suffix)]
    names = arrays.read_table(_NAMES, "")
    for suffix in suffixes:
        yield from _read_part(arrays, suffix, names)
    if not suffixes:
        images, labels = _find_unnamed(arrays)
        yield from read_drawings(images, labels.read_table(), images.name, names=names)


class Arrays:
    """The arrays of an archive by name."""

    def __init__(self, file: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> None:
        self._file, self._members = file, members

    def names(self) -> list[str]:
        """Return the names, in their order."""
        return list(self._members)

    def find(self, names: tuple[str, ...], suffix: str) -> str | None:
        """Return the first of the names, with the suffix, that exists, in upper or lower case; None if none does."""
        spelled = {name.lower(): name for name in self._members}
        return next((spelled[name + suffix] for name in names if name + suffix in spelled), None)

    def get(self, name: str) -> Array:
        """Return an array. Raises InvalidInput."""
        return read_array(name, lambda: self._open(name))

    def read_table(self, names: tuple[str, ...], suffix: str) -> NDArray[Any] | None:
        """Return a whole one-dimensional array; None if none has one of these names. Raises InvalidInput."""
        name = self.find(names, suffix)
        return None if name is None else self.get(name).read_table()

    def _open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        with zip_files.damage_as_invalid_input(KIND):
            return self._file.open(self._members[name])


def list_arrays(file: zipfile.ZipFile) -> Arrays:
    """Return the arrays of an archive."""
    return Arrays(file, {name.removesuffix(".npy"): info for name, info in zip_files.list_members(file).items()})


def _find_unnamed(arrays: Arrays) -> tuple[Array, Array]:
    """Return the images and the labels of an archive with two arrays of any name. Raises InvalidInput."""
    found = [arrays.get(name) for name in arrays.names()] if len(arrays.names()) == 2 else []
    images = [array for array in found if array.image_shape]
    labels = [array for array in found if len(array.shape) == 1]
    if len(images) != 1 or len(labels) != 1:
        raise InvalidInput("file", _DESCRIPTION)
    return images[0], labels[0]


def _read_part(arrays: Arrays, suffix: str, names: NDArray[Any] | None) -> Iterator[SourceItem | RefusedSource]:
    labels = arrays.read_table(_LABELS, suffix)
    if labels is None:
        raise InvalidInput("file", _DESCRIPTION)
    yield from read_drawings(
        arrays.get(arrays.find(_IMAGES, suffix) or ""),
        labels,
        arrays.find(_IMAGES, suffix) or "",
        names=names,
        part=parse_part(suffix.removeprefix("_")),
        writers=arrays.read_table(_WRITERS, suffix),
        splits=arrays.read_table(_SPLITS, suffix),
    )


def read_drawings(
    images: Array,
    labels: NDArray[Any],
    title: str,
    *,
    names: NDArray[Any] | None = None,
    part: Part | None = None,
    writers: NDArray[Any] | None = None,
    splits: NDArray[Any] | None = None,
) -> Iterator[SourceItem | RefusedSource]:
    """Yield the drawings of one array. title: by which they are called. Raises InvalidInput if arrays do not match."""
    if images.image_shape and any(
        len(table) != images.image_shape[0] for table in (labels, writers, splits) if table is not None
    ):
        count = images.image_shape[0]
        raise InvalidInput("file", f"has {count:,} images in {title} but not as many labels, writers or splits")
    known = {value: _name_label(value, names) for value in np.unique(labels).tolist()}
    for i, image in enumerate(images.iter_images()):
        found = known[labels[i].item()]
        item = f"{title}[{i}]"
        if found.error is not None:
            yield RefusedSource(item, found.error)
            continue
        item_part = part if splits is None else _parse_split(splits[i])
        writer = "" if writers is None else decode_text(writers[i].item())
        yield SourceItem(item=item, label=found.label, folder=found.folder, image=image, part=item_part, writer=writer)


def _name_label(value: float | str | bytes | bool, names: NDArray[Any] | None) -> LabelName:
    """Return the label for a value of y: text as it is, a number by its name, or without names a digit."""
    if isinstance(value, str | bytes):
        text = decode_text(value)
        return make_label_name(text, text)
    if value != int(value):
        raise InvalidInput("file", f"has the label {value}; store whole numbers or text")
    value = int(value)
    if names is None:
        if 0 <= value <= 9:
            return make_label_name(str(value), str(value))
        raise InvalidInput(
            "file",
            f"has the label {value}, but does not say which character that is; add an array of names (drawings of none "
            "of the labels are read from folders of images only)",
        )
    if not 0 <= value < len(names):
        raise InvalidInput("file", f"has the label {value}, but only {len(names)} names; labels are indices into them")
    text = decode_text(names[value].item())
    return make_label_name(text, text)


def _parse_split(value: Any) -> Part:
    """Parse train, validation or test, or their numbers 0, 1 and 2. Raises InvalidInput."""
    plain = value.item()
    text = decode_text(plain)
    part = (
        parse_part(text) if not isinstance(plain, int) else {0: Part.TRAIN, 1: Part.VALIDATION, 2: Part.TEST}.get(plain)
    )
    if part is None:
        raise InvalidInput("file", f"has “{text[:40]}” in split; write train, validation or test, or 0, 1 or 2")
    return part
