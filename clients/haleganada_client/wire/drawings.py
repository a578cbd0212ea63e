"""Drawings as messages: strokes, and pictures in all the forms in which Python programs hold them.

Pictures of Pillow and arrays of numpy, and what behaves like them, are known by what they can do: a thin client imports
neither. Arrays are sent as PNG, which is written here, in a few lines.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from haleganada.v1 import common_pb2

from .. import types
from ..errors import InvalidInput, WrongType
from ..limits import MAX_IMAGE_BYTES
from .arguments import refuse, refuse_type, to_path
from .build import build

_AXES = ("x", "y", "time_ms", "pressure")
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Of PNG, by the number of channels."""
_MOST_CHANNELS = max(_COLOR_TYPES)


def pack_drawing(drawing: types.Drawing, argument: str = "drawing", *, synthetic: bool = False) -> common_pb2.Glyph:
    """Return a drawing as a message. argument: its name in errors. Raise WrongType or InvalidInput for what is no
    drawing, OSError for a path that cannot be read.
    """
    if isinstance(drawing, types.Ink):
        return common_pb2.Glyph(ink=_pack_ink(drawing, argument))
    if (image := load_picture(drawing, argument, MAX_IMAGE_BYTES)) is not None:
        return common_pb2.Glyph(image=image, synthetic=synthetic)
    if isinstance(drawing, Sequence) and not isinstance(drawing, str):
        return common_pb2.Glyph(ink=_pack_ink(_make_ink(drawing, argument), argument))
    raise refuse_type(
        argument,
        "a picture (a path, bytes, an open binary file, a Pillow image or an array), Ink or a list of strokes",
        drawing,
    )


def load_picture(picture: Any, argument: str, most_bytes: int) -> bytes | None:
    """Return the bytes of a file with a picture, None for what is no picture in any form. Of an open file, no more than
    one byte over `most_bytes` is read, which is enough for the server to refuse it.
    """
    if isinstance(picture, (str, os.PathLike)):
        return to_path(picture, argument).read_bytes()
    if isinstance(picture, (bytes, bytearray)) or (isinstance(picture, memoryview) and picture.ndim == 1):
        return bytes(picture)
    if callable(getattr(picture, "read", None)):
        return _read_file(picture, argument, most_bytes)
    if hasattr(picture, "mode") and callable(getattr(picture, "save", None)):
        return _encode_image(picture)
    if hasattr(picture, "__array__") or isinstance(picture, memoryview):
        return encode_png(picture, argument)
    return None


def _read_file(file: Any, argument: str, most_bytes: int) -> bytes:
    try:
        content = file.read(most_bytes + 1)
    except ValueError as error:  # it is closed, or open for writing
        raise refuse(argument, f"the file cannot be read ({error})") from None
    if not isinstance(content, bytes):
        raise WrongType(
            f'{argument}: the file gives {type(content).__name__}, not bytes; open it with "rb"',
            "INVALID_INPUT",
            argument,
        )
    return content


def _encode_image(image: Any) -> bytes:
    """Return an image of Pillow as PNG."""
    buffer = io.BytesIO()
    if image.mode not in _PNG_MODES:
        image = image.convert("RGBA" if image.mode.endswith(("A", "a")) else "RGB")
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def encode_png(array: Any, argument: str = "drawing") -> bytes:
    """Return an array as PNG: of shape (height, width), or with 1 to 4 channels behind that; bool, integers 0..255, or
    floats 0..1 or 0..255.
    """
    if not hasattr(array, "astype"):  # a tensor, for example
        array = array.__array__() if hasattr(array, "__array__") else memoryview(array)
    shape = tuple(array.shape)
    channels = shape[2] if len(shape) == 3 else 1
    if len(shape) not in (2, 3) or channels not in _COLOR_TYPES or 0 in shape:
        raise InvalidInput(
            f"{argument}: an array of shape {shape} is not a picture; give (height, width), or (height, width, "
            f"channels) with 1 to {_MOST_CHANNELS} channels",
            "INVALID_INPUT",
            argument,
        )
    rows = _to_bytes(array, argument)
    return _write_png(rows, shape[1], shape[0], channels)


def _to_bytes(array: Any, argument: str) -> bytes:
    """Return the values of an array as bytes, row by row."""
    if isinstance(array, memoryview):
        if array.format not in ("B", "?"):
            raise refuse(argument, "a memoryview must hold bytes")
        return array.tobytes()
    kind = array.dtype.kind
    if kind not in "buif":
        raise refuse(argument, f"an array of {array.dtype} is no picture")
    least, most = float(array.min()), float(array.max())
    if not (least >= 0 and most <= 255):  # NaN is neither
        raise InvalidInput(
            f"{argument}: an array with values from {least:g} to {most:g} is not a picture; give 0 to 255, or floats "
            "from 0 to 1",
            "INVALID_INPUT",
            argument,
        )
    if kind == "b" or (kind == "f" and most <= 1):
        array = array * 255.0
    values: bytes = array.round().astype("uint8").tobytes()
    return values


def _write_png(rows: bytes, width: int, height: int, channels: int) -> bytes:
    line = width * channels
    unfiltered = b"".join(b"\0" + rows[start : start + line] for start in range(0, line * height, line))
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(unfiltered, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _make_ink(strokes: Sequence[Any], argument: str) -> types.Ink:
    """Return a list of strokes as ink, on a canvas that is as large as the drawing and moved to its corner."""
    made = [_make_stroke(stroke, f"{argument}[{number}]") for number, stroke in enumerate(strokes)]
    if not any(stroke.x for stroke in made):
        raise refuse(argument, "has no strokes")
    xs, ys = ([value for stroke in made for value in getattr(stroke, axis)] for axis in "xy")
    left, top = min(xs), min(ys)
    moved = tuple(
        types.Stroke(
            tuple(x - left for x in stroke.x), tuple(y - top for y in stroke.y), stroke.time_ms, stroke.pressure
        )
        for stroke in made
    )
    side = max(max(xs) - left, max(ys) - top) or 1.0  # one dot has no size
    return types.Ink(moved, side, side)


def _make_stroke(stroke: Any, argument: str) -> types.Stroke:
    """Return a stroke that is given as a list of points (x, y), as a mapping of lists, or as what it is."""
    if isinstance(stroke, types.Stroke):
        return stroke
    try:
        if isinstance(stroke, Mapping):
            return types.Stroke(*(_to_numbers(stroke.get(axis, ())) for axis in _AXES))
        points = [_to_numbers(point) for point in stroke]
        return types.Stroke(*zip(*((x, y) for x, y in points), strict=True))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(
            f"{argument}: is not a stroke; give a list of points (x, y), or Stroke with a list of x and one of y",
            "INVALID_INPUT",
            argument,
        ) from None


def _to_numbers(values: Iterable[Any]) -> tuple[float, ...]:
    if isinstance(values, (str, bytes)):
        raise TypeError
    return tuple(map(float, values))


def _pack_ink(ink: types.Ink, argument: str) -> common_pb2.Ink:
    try:
        strokes = [build(common_pb2.Stroke, **{axis: getattr(s, axis) for axis in _AXES}) for s in ink.strokes]
        return build(common_pb2.Ink, strokes=strokes, width=ink.width, height=ink.height, pen_width=ink.pen_width)
    except InvalidInput as error:
        raise type(error)(f"{argument}: {error.message}", "INVALID_INPUT", argument) from None
    except (TypeError, AttributeError):
        problem = f"{argument}: Ink needs a tuple of Stroke"
        raise WrongType(problem, "INVALID_INPUT", argument) from None
