"""Messages between two processes over a pipe: a few facts as JSON, and bytes that belong to them.

A frame is two big-endian uint32, the lengths of the JSON object and of the bytes, and then both.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTHS = struct.Struct(">II")


def write_frame(stream: IO[bytes], facts: dict[str, Any], payload: bytes = b"") -> None:
    """Raises OSError, as BrokenPipeError when nobody reads, and ValueError for numbers that JSON does not know."""
    text = json.dumps(facts, ensure_ascii=False, allow_nan=False).encode()
    stream.write(_LENGTHS.pack(len(text), len(payload)) + text + payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next one; None at the end, also in the middle of a frame. Raises ValueError for what is no frame."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    text_size, size = _LENGTHS.unpack(lengths)
    text, payload = stream.read(text_size), stream.read(size)
    if len(text) < text_size or len(payload) < size:
        return None
    facts = json.loads(text)
    if not isinstance(facts, dict):
        raise ValueError("a frame's JSON is not an object")
    return facts, payload
