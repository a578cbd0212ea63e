"""What the readers of all forms share: the identity of an item, and names of folders that mean labels."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.types import Ink, Stroke

_HEX_NAME = re.compile(r"U\+[0-9A-Fa-f]{4,6}(?:[_ ](?:U\+)?[0-9A-Fa-f]{4,6})*")


def key(label: str, drawing: bytes, time_us: int) -> str:
    """A stable identity: importing the same item twice teaches it once."""
    return hashlib.sha256(f"{label}\0{time_us}\0".encode() + drawing).hexdigest()


def folder_name(label: str) -> str:
    """U+0C95_0CCD for ಕ್: safe on every file system, and readable."""
    return "U+" + "_".join(f"{ord(char):04X}" for char in label)


def label_of_folder(name: str) -> str:
    """A label from a decimal code point (two digits or more), U+0C95_0CCD, or literal text. Raises InvalidInput."""
    try:
        if _HEX_NAME.fullmatch(name):
            return "".join(chr(int(part.removeprefix("U+"), 16)) for part in re.split("[_ ]", name))
        if name.isascii() and name.isdecimal() and len(name) > 1:  # one digit is that digit
            return chr(int(name))
    except (ValueError, OverflowError):
        raise InvalidInput("label", f"the folder “{name}” is no code point") from None
    return name


def ink_as_json(ink: Ink) -> dict[str, Any]:
    """Strokes as plain JSON values."""
    strokes = [
        {"x": s.x, "y": s.y, **({"t": s.t} if s.t else {}), **({"pressure": s.pressure} if s.pressure else {})}
        for s in ink.strokes
    ]
    return {"width": ink.width, "height": ink.height, "pen_width": ink.pen_width, "strokes": strokes}


def ink_from_json(value: Any) -> Ink:
    """The inverse. Raises InvalidInput."""
    try:
        strokes = tuple(
            Stroke(*(tuple(float(v) for v in stroke.get(name, ())) for name in ("x", "y", "t", "pressure")))
            for stroke in value["strokes"]
        )
        return Ink(strokes, float(value["width"]), float(value["height"]), float(value.get("pen_width", 0)))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise InvalidInput("ink", "needs width, height and strokes with lists x and y of numbers") from None
