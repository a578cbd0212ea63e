"""The JSON of requests, and its drawings: strokes or a picture as a data URL. Raises InvalidInput, naming the field."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from flask import request

from haleganada_client.errors import InvalidInput
from haleganada_client.types import Drawing, Ink, Stroke

_URL_SAFE = str.maketrans("-_", "+/")


def parse_body() -> dict[str, Any]:
    """Return the request's JSON object."""
    try:
        value = request.get_json(silent=True)
    except RecursionError:
        raise refuse("", "the request is nested too deeply; send a flat JSON object") from None
    if not isinstance(value, dict):
        raise InvalidInput("the request must be a JSON object", "INVALID_INPUT", "")
    return value


def refuse(field: str, problem: str) -> InvalidInput:
    """Return the error for a field that cannot be used."""
    return InvalidInput(f"{field}: {problem}" if field else problem, "INVALID_INPUT", field)


def parse_optional_body() -> dict[str, Any]:
    """Return the request's JSON object, empty if nothing was sent."""
    return parse_body() if request.content_length else {}


def get_text(value: dict[str, Any], field: str, default: str | None = None) -> str:
    """Return a text field; without a default it is required."""
    found = value.get(field)
    if found is None and default is not None:
        return default
    if found is None:
        raise InvalidInput(f"{field}: is missing; send text", "INVALID_INPUT", field)
    if not isinstance(found, str):
        raise InvalidInput(f"{field}: must be text", "INVALID_INPUT", field)
    if default is None and not found:
        raise InvalidInput(f"{field}: is empty; send at least one character", "INVALID_INPUT", field)
    return found


def get_list(value: dict[str, Any], field: str) -> list[Any]:
    """Return a list, which is required."""
    found = value.get(field)
    if not isinstance(found, list):
        raise refuse(field, "is missing; send a list" if found is None else "must be a list")
    return found


def get_number(value: Mapping[str, Any], field: str) -> int | None:
    """Return a whole number of a body or a query, None if it is absent."""
    found = value.get(field)
    if isinstance(found, str) and value is request.args:
        if not (found.isdecimal() and len(found) < 20):
            raise refuse(field, "must be a whole number")
        return int(found)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise InvalidInput(f"{field}: must be a whole number", "INVALID_INPUT", field)
    return found


def get_revision(value: dict[str, Any]) -> int | None:
    """Return the revision that the workspace must be at, None for any."""
    return get_number(value, "expected_revision")


def parse_drawing(value: Any, place: str = "") -> Drawing:
    """Return the drawing of a request: `ink` or `image`. place: of the object in the request, for example
    "drawings[2]".
    """
    if not isinstance(value, dict):
        raise refuse(place, "must be an object with image or ink")
    prefix = f"{place}." if place else ""
    ink, image = value.get("ink"), value.get("image")
    if isinstance(ink, dict):
        return _ink(ink, f"{prefix}ink")
    if isinstance(image, str):
        return _image(image, f"{prefix}image")
    if ink is not None:
        raise refuse(f"{prefix}ink", "must be an object with width, height and strokes")
    problem = "is missing; send a data URL, or ink" if image is None else "must be text, a data URL"
    raise refuse(f"{prefix}image", problem)


def _image(text: str, field: str) -> bytes:
    """Decode a data URL, or base64 alone, in any of its spellings: with line breaks, URL-safe, without padding."""
    try:
        if text[:5].lower() == "data:":
            kind, _, content = text.partition(",")
            if not kind.lower().rstrip().endswith(";base64"):
                raise ValueError("the data URL is not in base64")
            text = unquote(content)
        plain = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        raise refuse(field, "is not a base64 data URL") from None


def _ink(value: dict[str, Any], field: str) -> Ink:
    try:
        strokes = tuple(
            Stroke(*(tuple(map(float, stroke.get(name) or ())) for name in ("x", "y", "time_ms", "pressure")))
            for stroke in value["strokes"]
        )
        return Ink(strokes, float(value["width"]), float(value["height"]), float(value.get("pen_width") or 0))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise refuse(field, "needs width, height and strokes with lists x and y of numbers") from None
