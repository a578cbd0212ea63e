"""Checks of arguments that become no field of a message. Each names the argument in what it raises."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ..errors import NOT_UNICODE, InvalidInput, WrongType

_LONGEST_S = 10_000_000  # four months
Value = TypeVar("Value")


def refuse(argument: str, problem: str) -> InvalidInput:
    """Return the error for an argument that cannot be used."""
    return InvalidInput(f"{argument}: {problem}", "INVALID_INPUT", argument)


def refuse_type(argument: str, expected: str, value: object) -> WrongType:
    """Return the error for an argument of a wrong type."""
    return WrongType(f"{argument}: must be {expected}, not {type(value).__name__}", "INVALID_INPUT", argument)


def parse_choice(value: object, choices: Mapping[str, Value], argument: str) -> Value:
    """Return what a word stands for."""
    if not isinstance(value, str):
        raise refuse_type(argument, "text (str)", value)
    if value not in choices:
        named = ", ".join(filter(None, choices))
        shown = value[:50].encode("utf-8", "backslashreplace").decode()
        raise refuse(argument, f"there is no “{shown}”; choose one of {named}")
    return choices[value]


def to_text(value: object, argument: str) -> str:
    """Return a text that can be sent."""
    if not isinstance(value, str):
        raise refuse_type(argument, "text (str)", value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise refuse_half(argument, error) from None
    return value


def refuse_half(argument: str, error: UnicodeEncodeError) -> InvalidInput:
    """Return the error for a text that contains half of a character, a surrogate. error: what encoding it raised."""
    return InvalidInput(
        f"{argument}: contains U+{ord(error.object[error.start]):04X} (at position {error.start + 1}), which is half "
        "of a character and cannot be sent; give the whole character",
        NOT_UNICODE,
        argument,
    )


def to_list(values: Iterable[Value], argument: str) -> list[Value]:
    """Return the items of an argument that must be a list or another iterable, but no text."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise refuse_type(argument, "a list", values)
    return list(values)


def to_path(value: object, argument: str, expected: str = "a path") -> Path:
    """Return a path that the system can be asked for."""
    if not isinstance(value, (str, os.PathLike)):
        raise refuse_type(argument, expected, value)
    with suppress(ValueError):  # UnicodeEncodeError among them
        if b"\0" not in os.fsencode(value):
            return Path(value)
    raise refuse(argument, "is not a path: it contains a character that no path can have")


def to_seconds(value: Any, argument: str) -> float:
    """Return a finite number of seconds above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refuse_type(argument, "a number of seconds", value)
    if not 0 < value <= _LONGEST_S:
        raise refuse(argument, f"is not above 0, and at most {_LONGEST_S:,}")
    return float(value)
