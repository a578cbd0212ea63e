"""Outcomes: the value or the error of each item of a batch, so that one bad item does not fail the others.

An error that is kept as a value is stripped: its traceback would keep every local variable between the one who raised
it and the one who caught it, a decoded picture of many megabytes among them, for as long as the batch lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, TypeVar

from .errors import ITEM_ERRORS, HaleganadaError

T = TypeVar("T")
U = TypeVar("U")
Error = TypeVar("Error", bound=Exception)

Outcome: TypeAlias = T | HaleganadaError


def raise_if_error(outcome: Outcome[T]) -> T:
    """Return the value, or raise the error."""
    if isinstance(outcome, HaleganadaError):
        try:
            raise outcome
        finally:
            del outcome  # or the error's traceback, this frame and the error would keep each other
    return outcome


def strip_traceback(error: Error) -> Error:
    """Remove what an error keeps alive, its traceback and the errors that led to it, and return it."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def map_ok(function: Callable[[T], Outcome[U]], outcomes: Iterable[Outcome[T]]) -> list[Outcome[U]]:
    """Apply a function to each value; errors stay as they are, and an item error that it raises becomes the outcome."""
    return [outcome if isinstance(outcome, HaleganadaError) else _call(function, outcome) for outcome in outcomes]


def map_ok_batch(
    function: Callable[[list[T]], Sequence[Outcome[U]]], outcomes: Sequence[Outcome[T]]
) -> list[Outcome[U]]:
    """Apply a function to all values together, which returns one outcome for each; errors keep their places."""
    results = iter(function(ok_values(outcomes)))
    return [outcome if isinstance(outcome, HaleganadaError) else next(results) for outcome in outcomes]


def zip_ok(first: Iterable[Outcome[T]], second: Iterable[Outcome[U]]) -> list[Outcome[tuple[T, U]]]:
    """Pair the values of two equally long sequences; a pair with an error becomes the first error."""
    return map_ok(lambda pair: (raise_if_error(pair[0]), raise_if_error(pair[1])), zip(first, second, strict=True))


def ok_values(outcomes: Iterable[Outcome[T]]) -> list[T]:
    """Return the values without the errors."""
    return [outcome for outcome in outcomes if not isinstance(outcome, HaleganadaError)]


def _call(function: Callable[[T], Outcome[U]], value: T) -> Outcome[U]:
    try:
        return function(value)
    except ITEM_ERRORS as error:
        return strip_traceback(error)
