"""The JSON of requests, and its drawings: strokes or a picture as a data URL. Raises InvalidInput, naming the field."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import request

from haleganada_client.convert import Drawing
from haleganada_client.errors import InvalidInput
from haleganada_client.types import Ink, Stroke


def parse_body() -> dict[str, Any]:
    """Return the request's JSON object."""
    value = request.get_json(silent=True)
    if not isinstance(value, dict):
        raise InvalidInput("the request must be a JSON object", "INVALID_INPUT", "")
    return value


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


def get_number(value: dict[str, Any], field: str) -> int | None:
    """Return a whole number, None if it is absent."""
    found = value.get(field)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise InvalidInput(f"{field}: must be a whole number", "INVALID_INPUT", field)
    return found


def parse_drawing(value: dict[str, Any]) -> Drawing:
    """Return the drawing of a request: `ink` or `image`."""
    if isinstance(value.get("ink"), dict):
        return _ink(value["ink"])
    if isinstance(value.get("image"), str):
        return _image(value["image"])
    raise InvalidInput("image: is missing; send a data URL, or ink", "INVALID_INPUT", "image")


def _image(data_url: str) -> bytes:
    encoded = data_url.partition(",")[2] if data_url.startswith("data:") else data_url
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("image: is not a base64 data URL", "INVALID_INPUT", "image") from None


def _ink(value: dict[str, Any]) -> Ink:
    try:
        strokes = tuple(
            Stroke(*(tuple(map(float, stroke.get(name) or ())) for name in ("x", "y", "time_ms", "pressure")))
            for stroke in value["strokes"]
        )
        return Ink(strokes, float(value["width"]), float(value["height"]), float(value.get("pen_width") or 0))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        problem = "ink: needs width, height and strokes with lists x and y of numbers"
        raise InvalidInput(problem, "INVALID_INPUT", "ink") from None
