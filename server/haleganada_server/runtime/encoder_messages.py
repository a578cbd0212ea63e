"""What the server and its reading processes say to each other about a piece: drawings one way, what was seen the other.

Exact to the last bit: numbers travel as the bytes of their floats, pictures as the bytes that came. Both ends are the
same program on the same machine, so this form may change with every version.

A question's facts: {"glyphs": [how many bytes a picture has, or of each stroke the lengths of x, y, t, pressure, or
null for a glyph with neither]}; its payload is those pictures, and of an ink width, height, pen width and then the
strokes' numbers as float64. An answer's facts:
{"seen": [null, or the field and description of an InvalidInput], "wide": d, "side": px}; its payload is the (n, d)
float32 embeddings and then the (n, side, side) uint8 rasters of those that could be read.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.glyphs.ports import Seen
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke

Message = tuple[dict[str, Any], bytes]
_Shape = int | list[list[int]] | None  # of a glyph, see above

_FLOAT = 8  # bytes
_CANVAS = 3  # numbers: width, height, pen width


def pack_question(glyphs: Sequence[Glyph]) -> Message:
    packed = [_pack_glyph(glyph) for glyph in glyphs]
    return {"glyphs": [shape for shape, _ in packed]}, b"".join(data for _, data in packed)


def unpack_question(message: Message) -> list[Glyph]:
    facts, payload = message
    glyphs, start = [], 0
    for shape in facts["glyphs"]:
        end = start + _size(shape)
        glyphs.append(_unpack_glyph(shape, payload[start:end]))
        start = end
    return glyphs


def pack_answer(seen: Sequence[Seen | HaleganadaError]) -> Message:
    """Raises an error that is not InvalidInput: only that is an answer."""
    read = [one for one in seen if isinstance(one, Seen)]
    facts: dict[str, Any] = {"seen": [_pack_refusal(one) for one in seen]}
    if not read:
        return facts, b""
    embeddings, rasters = np.stack([one.embedding for one in read]), np.stack([one.raster for one in read])
    facts |= {"wide": embeddings.shape[1], "side": rasters.shape[1]}
    return facts, embeddings.tobytes() + rasters.tobytes()


def unpack_answer(message: Message) -> list[Seen | HaleganadaError]:
    facts, payload = message
    count = facts["seen"].count(None)
    read = iter(_unpack_seen(payload, count, facts["wide"], facts["side"]) if count else ())
    return [next(read) if refusal is None else InvalidInput(*refusal) for refusal in facts["seen"]]


def _pack_glyph(glyph: Glyph) -> tuple[_Shape, bytes]:
    if glyph.ink is None:
        return (None, b"") if glyph.image is None else (len(glyph.image), glyph.image)
    ink = glyph.ink
    numbers = array("d", (ink.width, ink.height, ink.pen_width))
    shape = []
    for stroke in ink.strokes:
        channels = (stroke.x, stroke.y, stroke.t, stroke.pressure)
        shape.append([len(channel) for channel in channels])
        for channel in channels:
            numbers.extend(channel)
    return shape, numbers.tobytes()


def _size(shape: _Shape) -> int:
    """Of the glyph in the payload, in bytes."""
    if isinstance(shape, list):
        return _FLOAT * (_CANVAS + sum(chain.from_iterable(shape)))
    return shape or 0


def _unpack_glyph(shape: _Shape, data: bytes) -> Glyph:
    if isinstance(shape, list):
        return Glyph(ink=_unpack_ink(shape, data))
    return Glyph() if shape is None else Glyph(image=data)


def _unpack_ink(shape: Sequence[Sequence[int]], data: bytes) -> Ink:
    numbers = array("d", data).tolist()
    width, height, pen_width = numbers[:_CANVAS]
    strokes, start = [], _CANVAS
    for lengths in shape:
        channels = []
        for length in lengths:
            channels.append(tuple(numbers[start : start + length]))
            start += length
        strokes.append(Stroke(*channels))
    return Ink(tuple(strokes), width, height, pen_width)


def _pack_refusal(seen: Seen | HaleganadaError) -> tuple[str, str] | None:
    if isinstance(seen, Seen):
        return None
    if isinstance(seen, InvalidInput):
        return seen.field, seen.description
    raise seen


def _unpack_seen(payload: bytes, count: int, wide: int, side: int) -> list[Seen]:
    """Copies, so that what is kept of one drawing does not keep the others."""
    embeddings = np.frombuffer(payload, np.float32, count * wide).reshape(count, wide)
    rasters = np.frombuffer(payload, np.uint8, offset=embeddings.nbytes).reshape(count, side, side)
    return [Seen(vector.copy(), raster.copy()) for vector, raster in zip(embeddings, rasters, strict=True)]
