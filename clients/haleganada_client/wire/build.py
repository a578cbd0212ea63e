"""Build messages. What a message cannot hold is refused with the name of its field, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from google.protobuf.descriptor import FieldDescriptor

from ..errors import WrongType
from .arguments import refuse, refuse_half

P = ParamSpec("P")
Message = TypeVar("Message")
_TEXT, _NUMBER, _WHOLE = "text (str)", "a number", "a whole number (int)"
_EXPECTED = {
    FieldDescriptor.CPPTYPE_STRING: _TEXT,
    FieldDescriptor.CPPTYPE_FLOAT: _NUMBER,
    FieldDescriptor.CPPTYPE_DOUBLE: _NUMBER,
    FieldDescriptor.CPPTYPE_BOOL: "True or False",
    FieldDescriptor.CPPTYPE_MESSAGE: "of another kind",
}


def build(kind: Callable[P, Message], /, *_: P.args, **fields: P.kwargs) -> Message:
    """Make a message of a kind. Raise WrongType or InvalidInput, which name the field."""
    try:
        return kind(**fields)  # type: ignore[call-arg]
    except (TypeError, ValueError, OverflowError):
        for name, value in fields.items():
            _check_field(kind, name, value)
        raise


def _check_field(kind: Any, name: str, value: Any) -> None:
    """Raise the error for a field that its message cannot hold."""
    try:
        kind(**{name: value})
    except UnicodeEncodeError as error:
        raise refuse_half(name, error) from None
    except TypeError:
        problem = f"{name}: must be {_describe_type(kind.DESCRIPTOR.fields_by_name[name])}, not {_name_type(value)}"
        raise WrongType(problem, "INVALID_INPUT", name) from None
    except (ValueError, OverflowError):
        raise refuse(name, "is out of range") from None


def _describe_type(field: Any) -> str:
    one: str = _EXPECTED.get(field.cpp_type, _WHOLE)
    if field.type == field.TYPE_BYTES:
        one = "bytes"
    return f"a list, each item {one}" if field.is_repeated else one


def _name_type(value: Any) -> str:
    """Return the type of a value; of a list also those of its items."""
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__} of {', '.join(sorted({type(item).__name__ for item in value}))}"
    return type(value).__name__
