"""Messages between the server and its encoder workers: a micro-batch of drawings, and its embeddings and rasters.

Exact to the last bit: numbers travel as the bytes of their floats, pictures as the bytes that were received. Both ends
are the same program on the same machine, so the format may change with every version.

Request: {"glyphs": [a picture's size in bytes; or for each stroke the lengths of x, y, t, pressure; or null for a glyph
with neither]}. Its payload holds the pictures, and for each ink width, height, pen width and then the strokes' numbers,
as float64.

Response: {"errors": [null, or the field and description of an InvalidInput], "dim": d, "side": px}. Its payload holds
the (n, d) float32 embeddings and then the (n, side, side) uint8 rasters of the drawings without errors.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.ports import EncodedGlyph
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.outcomes import Outcome, ok_values

Message = tuple[dict[str, Any], bytes]
_Shape = int | list[list[int]] | None  # an entry of "glyphs"

_FLOAT_BYTES = 8
_CANVAS_NUMBERS = 3  # width, height, pen width


def pack_request(glyphs: Sequence[Glyph]) -> Message:
    packed = [_pack_glyph(glyph) for glyph in glyphs]
    return {"glyphs": [shape for shape, _ in packed]}, b"".join(data for _, data in packed)


def unpack_request(message: Message) -> list[Glyph]:
    facts, payload = message
    glyphs, start = [], 0
    for shape in facts["glyphs"]:
        end = start + _packed_size(shape)
        glyphs.append(_unpack_glyph(shape, payload[start:end]))
        start = end
    return glyphs


def pack_response(outcomes: Sequence[Outcome[EncodedGlyph]]) -> Message:
    """Pack what became of each drawing. Raises any error that is not InvalidInput: only that can be sent."""
    encoded = ok_values(outcomes)
    facts: dict[str, Any] = {"errors": [_pack_error(outcome) for outcome in outcomes]}
    if not encoded:
        return facts, b""
    embeddings, rasters = (np.stack(arrays) for arrays in zip(*encoded, strict=True))
    facts |= {"dim": embeddings.shape[1], "side": rasters.shape[1]}
    return facts, embeddings.tobytes() + rasters.tobytes()


def unpack_response(message: Message) -> list[Outcome[EncodedGlyph]]:
    facts, payload = message
    count = facts["errors"].count(None)
    encoded = iter(_unpack_encoded(payload, count, facts["dim"], facts["side"]) if count else ())
    return [next(encoded) if error is None else InvalidInput(*error) for error in facts["errors"]]


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


def _packed_size(shape: _Shape) -> int:
    """Return how many bytes of the payload a glyph takes."""
    if isinstance(shape, list):
        return _FLOAT_BYTES * (_CANVAS_NUMBERS + sum(chain.from_iterable(shape)))
    return shape or 0


def _unpack_glyph(shape: _Shape, data: bytes) -> Glyph:
    if isinstance(shape, list):
        return Glyph(ink=_unpack_ink(shape, data))
    return Glyph() if shape is None else Glyph(image=data)


def _unpack_ink(shape: Sequence[Sequence[int]], data: bytes) -> Ink:
    numbers = array("d", data).tolist()
    width, height, pen_width = numbers[:_CANVAS_NUMBERS]
    strokes, start = [], _CANVAS_NUMBERS
    for lengths in shape:
        channels = []
        for length in lengths:
            channels.append(tuple(numbers[start : start + length]))
            start += length
        strokes.append(Stroke(*channels))
    return Ink(tuple(strokes), width, height, pen_width)


def _pack_error(outcome: Outcome[EncodedGlyph]) -> tuple[str, str] | None:
    if isinstance(outcome, EncodedGlyph):
        return None
    if isinstance(outcome, InvalidInput):
        return outcome.field, outcome.description
    raise outcome


def _unpack_encoded(payload: bytes, count: int, dim: int, side: int) -> list[EncodedGlyph]:
    """Return copies, so that keeping one drawing does not keep the whole payload in memory."""
    embeddings = np.frombuffer(payload, np.float32, count * dim).reshape(count, dim)
    rasters = np.frombuffer(payload, np.uint8, offset=embeddings.nbytes).reshape(count, side, side)
    return [EncodedGlyph(vector.copy(), raster.copy()) for vector, raster in zip(embeddings, rasters, strict=True)]
