"""Messages between two processes over a pipe: a JSON object and a payload of bytes.

A frame is two big-endian uint32, the lengths of the JSON object and of the payload, and then both.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTHS = struct.Struct(">II")


def write_frame(stream: IO[bytes], fields: dict[str, Any], payload: bytes = b"") -> None:
    """Write a frame. Raises OSError, for example BrokenPipeError if the reader has ended, and ValueError for NaN and
    infinity, which JSON does not have.
    """
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False).encode()
    stream.write(_LENGTHS.pack(len(text), len(payload)) + text + payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Return the next frame; None at the end, even in the middle of a frame. Raises ValueError for invalid JSON."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    text_size, size = _LENGTHS.unpack(lengths)
    text, payload = stream.read(text_size), stream.read(size)
    if len(text) < text_size or len(payload) < size:
        return None
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("a frame's JSON is not an object")
    return fields, payload
