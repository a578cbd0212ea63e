"""Strokes as bytes for the log: compressed JSON, readable for ever, exact to the last bit of each float.

JSON rather than a protobuf message, because what is stored must not change when the contract does.
"""

from __future__ import annotations

import json
import zlib

from .types import Ink, Stroke


def encode_ink(ink: Ink) -> bytes:
    """An Ink as compressed JSON; about 1 KB for a character."""
    strokes = [[list(s.x), list(s.y), list(s.t), list(s.pressure)] for s in ink.strokes]
    text = json.dumps([ink.width, ink.height, ink.pen_width, strokes], separators=(",", ":"))
    return zlib.compress(text.encode("ascii"), 1)


def decode_ink(data: bytes) -> Ink:
    """The inverse of encode_ink."""
    width, height, pen_width, strokes = json.loads(zlib.decompress(data))
    return Ink(tuple(Stroke(*map(tuple, channels)) for channels in strokes), width, height, pen_width)
