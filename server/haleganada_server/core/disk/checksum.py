"""Descriptions that are stored as JSON carry a checksum of themselves, so that a flipped bit is told from a value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

CHECKSUM = "checksum"


NEWER = "it was written by a newer version of this server, which can use it; update the server, nothing is lost"
"""What is said of a file whose format this version does not know yet, instead of calling it damaged."""


class NewerFormat(ValueError):
    """What a newer version has written."""

    def __init__(self) -> None:
        super().__init__(NEWER)


def is_newer(error: BaseException | None) -> bool:
    """Return whether an error, or what led to it, tells of what a newer version has written."""
    while error is not None and not isinstance(error, NewerFormat):
        error = error.__cause__
    return error is not None


def require_format(entry: Mapping[str, Any], known: int) -> None:
    """Raise NewerFormat for an entry of a later format than the known one, ValueError for one of none. An entry without
    the field has the first format.
    """
    found = entry.get("format", 1)
    if not isinstance(found, int) or found < 1:
        raise ValueError(f"it has format {found}")
    if found > known:
        raise NewerFormat


def seal(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what can be stored as JSON with a checksum of its values added."""
    return {**entry, CHECKSUM: _hash_values(entry)}


def unseal(entry: Any) -> dict[str, Any]:
    """Return a parsed JSON object without its checksum. Earlier versions wrote none, which is accepted.

    Raises TypeError for anything but an object, ValueError if its values are not those that were sealed.
    """
    if not isinstance(entry, dict):
        raise TypeError("it is not an object")
    values = {name: value for name, value in entry.items() if name != CHECKSUM}
    if CHECKSUM in entry and entry[CHECKSUM] != _hash_values(values):
        raise ValueError("it has changed since it was written")
    return values


def _hash_values(entry: Mapping[str, Any]) -> str:
    """Return the SHA-256, hexadecimal, of the values as they are after being stored: tuples are lists, keys text."""
    stored = json.loads(json.dumps(entry))
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()
