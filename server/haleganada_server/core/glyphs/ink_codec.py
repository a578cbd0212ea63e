"""Strokes as bytes for the log: exact to the last bit of each float, and encoded in a fraction of a millisecond.

This format is not a protobuf message, because what is stored must not change when the contract does. It is compressed
with zlib; inside, little-endian:

    4 bytes   "ink2"
    1 byte    bytes per number, 4 or 8: the fewest that hold all numbers exactly
    3 x f64   width, height, pen width
    u32       number of strokes, then for each 3 x u32: number of points, times, pressures
    numbers   x, y, t, pressure of each stroke; first the lowest byte of every number, then the next one, and so on:
              neighboring points share their high bytes, so this compresses well

The first format, a JSON list of the same values, can still be decoded.
"""

from __future__ import annotations

import json
import struct
import zlib
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from .types import Ink, Stroke

_MAGIC = b"ink2"
_HEAD = struct.Struct("<4sB3dI")
_FASTEST = 1

INK_DAMAGE = (zlib.error, ValueError, TypeError, RecursionError)
"""What decode_ink raises for bytes that are not an Ink in either format."""


def encode_ink(ink: Ink) -> bytes:
    """Encode an Ink; 1 to 2 KB for a character."""
    channels = [(s.x, s.y, s.t, s.pressure) for s in ink.strokes]
    numbers = np.array([*chain.from_iterable(chain.from_iterable(channels))], np.float64)
    with np.errstate(over="ignore"):
        single = numbers.astype("<f4")
    exact = single if np.array_equal(single, numbers) else numbers.astype("<f8")
    head = _HEAD.pack(_MAGIC, exact.itemsize, ink.width, ink.height, ink.pen_width, len(channels))
    lengths = np.array([(len(x), len(t), len(pressure)) for x, _, t, pressure in channels], "<u4")
    by_place = exact.view(np.uint8).reshape(-1, exact.itemsize).T
    return zlib.compress(head + lengths.tobytes() + by_place.tobytes(), _FASTEST)


def decode_ink(data: bytes) -> Ink:
    """Decode what encode_ink wrote. Raises one of INK_DAMAGE if the bytes are not an Ink."""
    plain = zlib.decompress(data)
    if not plain.startswith(_MAGIC):
        return _decode_json(plain)
    if len(plain) < _HEAD.size:
        raise ValueError("the head is cut off")
    _, size, width, height, pen_width, strokes = _HEAD.unpack_from(plain)
    lengths = np.frombuffer(plain, "<u4", 3 * strokes, _HEAD.size).reshape(-1, 3)
    by_place = np.frombuffer(plain, np.uint8, offset=_HEAD.size + lengths.nbytes).reshape(size, -1)
    numbers = np.ascontiguousarray(by_place.T).view(f"<f{size}")[:, 0]
    if len(numbers) != lengths[:, [0, 0, 1, 2]].sum():
        raise ValueError("the numbers do not fill the strokes")
    return Ink(tuple(_split_strokes(numbers, lengths)), width, height, pen_width)


def _split_strokes(numbers: NDArray[np.floating], lengths: NDArray[np.uint32]) -> list[Stroke]:
    values = iter(np.split(numbers, np.cumsum(lengths[:, [0, 0, 1, 2]])))
    return [Stroke(*(tuple(next(values).tolist()) for _ in range(4))) for _ in lengths]


def _decode_json(plain: bytes) -> Ink:
    width, height, pen_width, strokes = json.loads(plain)
    return Ink(tuple(Stroke(*map(tuple, channels)) for channels in strokes), width, height, pen_width)
