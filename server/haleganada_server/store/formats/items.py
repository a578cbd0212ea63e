"""What the readers of all forms share: an item's identity, checked values, and names of folders that mean labels."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.types import Ink, Stroke

MAX_LINE_BYTES = 16 * 2**20
_END_OF_9999_US = 253_402_300_800_000_000
_HEX_NAME = re.compile(r"U\+[0-9A-Fa-f]{4,6}(?:[_ ](?:U\+)?[0-9A-Fa-f]{4,6})*")
_POINTS_IN_NAME = 32


def key(label: str, drawing: bytes, time_us: int) -> str:
    """A stable identity: importing the same item twice teaches it once."""
    return hashlib.sha256(f"{label}\0{time_us}\0".encode("utf-8", "surrogatepass") + drawing).hexdigest()


def lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, in bounded memory. Of one that is too long only the beginning, which parses as nothing."""
    while line := file.readline(MAX_LINE_BYTES):
        yield line
        rest = line
        while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)


def json_object(text: bytes) -> dict[str, Any]:
    """A JSON object. Raises InvalidInput."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInput("file", "is not a JSON object, or too long a one")
    return value


def text(facts: dict[str, Any], name: str, *, default: str | None = None) -> str:
    """A string. Raises InvalidInput."""
    value = facts.get(name, default)
    if not isinstance(value, str):
        raise InvalidInput(name, "is missing, or not a string")
    return value


def time_us(facts: dict[str, Any]) -> int:
    """Microseconds since 1970 UTC, up to the year 9999; 0 if there is none. Raises InvalidInput."""
    value = facts.get("time_us", 0)
    if not isinstance(value, int) or not 0 <= value < _END_OF_9999_US:
        raise InvalidInput("time_us", "is not a number of microseconds since 1970")
    return value


def loss(facts: dict[str, Any]) -> float:
    """0 or more, finite. Raises InvalidInput."""
    value = facts.get("loss")
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidInput("loss", "is not a number of 0 or more")
    return float(value)


def from_base64(facts: dict[str, Any], name: str) -> bytes:
    """Bytes. Raises InvalidInput."""
    try:
        return base64.b64decode(text(facts, name), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(name, "is not base64") from None


def folder_path(label: str) -> str:
    """U+0C95_0CCD for ಕ್: safe on every file system, and readable. A name is at most 255 bytes there, so a long label
    takes folders within folders, of which all but the innermost end in “_”.
    """
    points = [f"{ord(char):04X}" for char in label]
    pieces = ("_".join(points[i : i + _POINTS_IN_NAME]) for i in range(0, len(points), _POINTS_IN_NAME))
    return "U+" + "_/".join(pieces)


def folder_meant(folders: Sequence[str]) -> str:
    """Of the folders that something lies in, at least one: the name of the innermost, or the whole of one that
    folder_path has cut.
    """
    *outer, name = folders
    whole = name
    while outer and outer[-1].endswith("_"):
        whole = outer.pop() + whole
        if _HEX_NAME.fullmatch(whole):
            return whole
    return name


def label_of_folder(name: str) -> str:
    """A label from a decimal code point (two digits or more), U+0C95_0CCD, or literal text. Raises InvalidInput."""
    try:
        if _HEX_NAME.fullmatch(name):
            return "".join(chr(int(part.removeprefix("U+"), 16)) for part in re.split("[_ ]", name))
        if name.isascii() and name.isdecimal() and len(name) > 1:  # one digit is that digit
            return chr(int(name))
    except (ValueError, OverflowError):
        raise InvalidInput("label", f"the folder “{name[:80]}” is no code point") from None
    return name


def ink_as_json(ink: Ink) -> dict[str, Any]:
    """Strokes as plain JSON values."""
    strokes = [
        {"x": s.x, "y": s.y, **({"t": s.t} if s.t else {}), **({"pressure": s.pressure} if s.pressure else {})}
        for s in ink.strokes
    ]
    return {"width": ink.width, "height": ink.height, "pen_width": ink.pen_width, "strokes": strokes}


def ink_from_json(value: Any) -> Ink:
    """The inverse. Raises InvalidInput; whether the strokes make a drawing is for the rasterizer to say."""
    try:
        strokes = tuple(
            Stroke(*(tuple(float(v) for v in stroke.get(name, ())) for name in ("x", "y", "t", "pressure")))
            for stroke in value["strokes"]
        )
        return Ink(strokes, float(value["width"]), float(value["height"]), float(value.get("pen_width", 0)))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise InvalidInput("ink", "needs width, height and strokes with lists x and y of numbers") from None
