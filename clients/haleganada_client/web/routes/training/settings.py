"""Settings in requests: a JSON object whose fields are those of a dataclass."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from haleganada_client.errors import InvalidInput

Made = TypeVar("Made")
_INT32 = 2**31
_KINDS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "int": ("a whole number", int),
    "float": ("a number", (int, float)),
    "str": ("text", str),
    "bool": ("true or false", bool),
}


def parse_settings(body: dict[str, Any], name: str, kind: type[Made]) -> Made:
    """Return the dataclass that the field `name` of a request describes; what is left out or null has its default.

    Raises InvalidInput, naming the field, for what is unknown or of another kind; ranges are the server's to know.
    """
    given = body.get(name) or {}
    if not isinstance(given, dict):
        raise InvalidInput(f"{name}: must be a JSON object", "INVALID_INPUT", name)
    known = {field.name: str(field.type).removesuffix(" | None") for field in fields(kind)}  # type: ignore[arg-type]
    values = {field: _value(f"{name}.{field}", known.get(field), value) for field, value in given.items()}
    return kind(**{field: value for field, value in values.items() if value is not None})


def _value(field: str, kind: str | None, value: Any) -> Any:
    if kind is None:
        raise InvalidInput(f"{field}: there is no such setting", "INVALID_INPUT", field)
    said, expected = _KINDS[kind]
    if value is None:
        return None
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise InvalidInput(f"{field}: must be {said}", "INVALID_INPUT", field)
    if isinstance(value, int) and abs(value) >= _INT32:
        raise InvalidInput(f"{field}: is too large", "INVALID_INPUT", field)
    return value
