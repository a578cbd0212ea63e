"""One array in NumPy's format, read a piece at a time: an untrusted file must not decide how much memory is used, or
what is unpickled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import InvalidInput

from .source_item import MAX_ITEMS, MAX_PIXELS

KIND = "NumPy archive"
_MAX_TABLE_BYTES = 128 * 2**20  # of labels, names and the like
_CHUNK_BYTES = 2**20
_Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Array:
    """An array of numbers or text. open: returns its bytes from the beginning, the header included."""

    name: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    shape: _Shape
    kind: np.dtype[Any]

    @property
    def image_shape(self) -> _Shape | None:
        """(n, height, width) if the array can be n gray images: with or without an axis of one channel, or as rows of
        square images; else None.
        """
        if self.kind.kind not in "buif":
            return None
        shape = self.shape
        if len(shape) == 4 and 1 in (shape[1], shape[3]):
            shape = (shape[0], *(shape[1:3] if shape[3] == 1 else shape[2:4]))
        side = math.isqrt(shape[1]) if len(shape) == 2 else 0
        if side > 1 and side * side == shape[1]:
            shape = (shape[0], side, side)
        return shape if len(shape) == 3 else None

    def read_table(self) -> NDArray[Any]:
        """Return the whole array, which must be a list. Raises InvalidInput."""
        count, size = (self.shape[0] if self.shape else 0), self.kind.itemsize
        if len(self.shape) != 1 or count > MAX_ITEMS or count * size > _MAX_TABLE_BYTES:
            problem = f"has an array {self.name} of shape {self.shape}; it must be a list of at most {MAX_ITEMS:,}"
            raise InvalidInput("file", problem)
        with self._open_content() as file:
            return np.frombuffer(self._read_exactly(file, count * size), self.kind)

    def iter_images(self) -> Iterator[NDArray[np.uint8]]:
        """Yield (height, width) gray values, one image at a time. Raises InvalidInput if they are none."""
        shape = self.image_shape
        if shape is None:
            raise InvalidInput("file", f"has images of shape {self.shape} and type {self.kind}; store gray images")
        count, height, width = shape
        if count and not 0 < height * width <= MAX_PIXELS:
            raise InvalidInput("file", f"has images of {width} x {height} pixels")
        scale = self._find_scale()
        with self._open_content() as file:
            for _ in range(count):
                data = self._read_exactly(file, height * width * self.kind.itemsize)
                pixels = np.frombuffer(data, self.kind).reshape(height, width)
                if self.kind != np.uint8 or scale != 1:
                    pixels = np.rint(pixels * scale).astype(np.uint8)
                yield pixels

    def _find_scale(self) -> int:
        """Return what makes gray values of the numbers: 255 if they go from 0 to 1. Raises InvalidInput."""
        if self.kind == np.uint8:
            return 1
        low, high = 0.0, 0.0
        left = math.prod(self.shape) * self.kind.itemsize
        with self._open_content() as file:
            while left:
                size = min(left, _CHUNK_BYTES // self.kind.itemsize * self.kind.itemsize)
                values = np.frombuffer(self._read_exactly(file, size), self.kind)
                low, high, left = min(low, float(values.min())), max(high, float(values.max())), left - size
                if not (low >= 0 and high <= 255 and np.isfinite(values).all()):
                    raise InvalidInput("file", f"has images whose values are not {_GRAY}; convert them")
        return 255 if high <= 1 else 1

    def _open_content(self) -> AbstractContextManager[IO[bytes]]:
        return _Content(self.open())

    def _read_exactly(self, file: IO[bytes], count: int) -> bytes:
        with zip_files.damage_as_invalid_input(KIND):
            data = file.read(count)
        if len(data) < count:
            raise InvalidInput("file", f"has a truncated array {self.name}; create it again")
        return data


class _Content(AbstractContextManager[IO[bytes]]):
    """What follows the header of an array."""

    def __init__(self, opened: AbstractContextManager[IO[bytes]]) -> None:
        self._opened = opened

    def __enter__(self) -> IO[bytes]:
        file = self._opened.__enter__()
        _read_header(file)
        return file

    def __exit__(self, *error: Any) -> None:
        self._opened.__exit__(*error)


def read_array(name: str, open_file: Callable[[], AbstractContextManager[IO[bytes]]]) -> Array:
    """Return an array, of which only the header is read. Raises InvalidInput for one that would have to be
    unpickled.
    """
    with open_file() as file:
        shape, fortran, kind = _read_header(file)
    if kind.hasobject or kind.kind not in "buifUS":
        raise InvalidInput("file", f"has an array {name} of type {kind}; store numbers or text")
    if fortran and len(shape) > 1:
        raise InvalidInput("file", f"has an array {name} in Fortran order; store numpy.ascontiguousarray of it")
    return Array(name, open_file, shape, kind)


def decode_text(value: Any) -> str:
    """Return a value of an array as text. Raises InvalidInput for bytes that are not UTF-8, which could be anything."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        why = f"has labels or names that are not UTF-8, such as {value[:40]!r}"
        raise InvalidInput("file", f"{why}; store them as text (numpy.str_), or in UTF-8") from error


def _read_header(file: IO[bytes]) -> tuple[_Shape, bool, np.dtype[Any]]:
    """Return the shape, whether the order is Fortran's, and the type. Raises InvalidInput."""
    with zip_files.damage_as_invalid_input(KIND):
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, kind = read(file)
    return shape, fortran, kind


_GRAY = "gray values from 0 to 255, or from 0 to 1"
