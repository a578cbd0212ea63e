"""What the readers of all formats share: an item's key, validated values, and folder names that stand for labels."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from typing import IO, Any
from urllib.parse import unquote

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import names_code_points
from haleganada_server.core.glyphs.types import Ink, Stroke

MAX_LINE_BYTES = 16 * 2**20
_END_OF_9999_US = 253_402_300_800_000_000
_MAX_PARTS = 10_000  # lists and objects; 1,000 strokes have 5,000
_MAX_VALUES = 1_000_000  # 100,000 points have 400,000
_POINTS_IN_NAME = 32
_URL_SAFE = str.maketrans("-_", "+/")


def item_key(label: str, drawing: bytes, time_us: int) -> str:
    """Return a stable identity: an item that is imported twice is taught once."""
    return hashlib.sha256(f"{label}\0{time_us}\0".encode("utf-8", "surrogatepass") + drawing).hexdigest()


def read_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file, in bounded memory; only the beginning of one that is too long, which does not
    parse.
    """
    while line := file.readline(MAX_LINE_BYTES):
        yield line
        rest = line
        while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)


def parse_json_object(text: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises InvalidInput, also for one with more parts than any drawing has: parsed, a part can
    take thirty times the memory of its text.
    """
    if text.count(b"[") + text.count(b"{") > _MAX_PARTS or text.count(b",") > _MAX_VALUES:
        raise InvalidInput("file", "has a JSON object with too many parts; send drawings with fewer strokes and points")
    try:
        value = json.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidInput("file", "is not UTF-8; save the file as UTF-8") from None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInput("file", "is not a JSON object, or is too long")
    return value


def get_text(fields: dict[str, Any], name: str, *, default: str | None = None) -> str:
    """Return a string. Raises InvalidInput."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise InvalidInput(name, "is missing, or not a string")
    return value


def get_time_us(fields: dict[str, Any]) -> int:
    """Return microseconds since 1970 UTC, up to the year 9999; 0 if missing. Raises InvalidInput."""
    value = fields.get("time_us", 0)
    if not isinstance(value, int) or not 0 <= value < _END_OF_9999_US:
        raise InvalidInput("time_us", "is not a number of microseconds since 1970")
    return value


def get_loss(fields: dict[str, Any]) -> float:
    """Return a loss, 0 or more and finite. Raises InvalidInput."""
    value = fields.get("loss")
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise InvalidInput("loss", "is not a number of 0 or more")
    return float(value)


def get_bytes(fields: dict[str, Any], name: str) -> bytes:
    """Decode base64, as decode_base64 does. Raises InvalidInput."""
    try:
        return decode_base64(get_text(fields, name))
    except ValueError:
        raise InvalidInput(name, "is not base64") from None


def decode_base64(text: str) -> bytes:
    """Decode base64 in any of its spellings: with line breaks and spaces, URL-safe, without padding, as a data URL.
    Raises ValueError.
    """
    if text[:5].lower() == "data:":
        kind, _, content = text.partition(",")
        if not kind.lower().rstrip().endswith(";base64"):
            raise ValueError("the data URL is not in base64")
        text = unquote(content)
    plain = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def label_to_folders(label: str) -> str:
    """Return U+0C95_0CCD for ಕ್, which is readable and safe on every file system. Names there have at most 255 bytes,
    so a long label becomes nested folders, of which all but the innermost end in “_”.
    """
    points = [f"{ord(char):04X}" for char in label]
    parts = ("_".join(points[i : i + _POINTS_IN_NAME]) for i in range(0, len(points), _POINTS_IN_NAME))
    return "U+" + "_/".join(parts)


def join_label_folders(folders: Sequence[str]) -> str:
    """Return the innermost of an item's folders, at least one, or the complete name if label_to_folders has
    split it.
    """
    *outer, name = folders
    whole = name
    while outer and outer[-1].endswith("_"):
        whole = outer.pop() + whole
        if names_code_points(whole):
            return whole
    return name


def ink_to_json(ink: Ink) -> dict[str, Any]:
    """Convert strokes to plain JSON values."""
    strokes = [
        {"x": s.x, "y": s.y, **({"t": s.t} if s.t else {}), **({"pressure": s.pressure} if s.pressure else {})}
        for s in ink.strokes
    ]
    return {"width": ink.width, "height": ink.height, "pen_width": ink.pen_width, "strokes": strokes}


def ink_from_json(value: Any) -> Ink:
    """Convert back. Raises InvalidInput; the rasterizer checks later whether the strokes make a drawing."""
    try:
        strokes = tuple(
            Stroke(*(tuple(float(v) for v in stroke.get(name, ())) for name in ("x", "y", "t", "pressure")))
            for stroke in value["strokes"]
        )
        return Ink(strokes, float(value["width"]), float(value["height"]), float(value.get("pen_width", 0)))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise InvalidInput("ink", "needs width, height and strokes with lists x and y of numbers") from None
