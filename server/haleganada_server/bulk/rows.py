"""One row of the output for each item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.outcomes import Outcome

from .items import Item

Row = dict[str, Any]


def make_row(item: Item, outcome: Outcome[Any], describe: Callable[[Any], Row]) -> Row:
    """Return the row of an item: its error, or what `describe` returns for its value."""
    if isinstance(outcome, HaleganadaError):
        return make_error_row(item, outcome.message, outcome.reason.value)
    return {**_start(item), "error": None, "reason": None, **describe(outcome)}


def make_error_row(item: Item, message: str, reason: str) -> Row:
    """Return the row of an item that cannot be used."""
    return {**_start(item), "error": message, "reason": reason}


def _start(item: Item) -> Row:
    start: Row = {"item": item.name}
    if item.page:
        start["page"] = item.page
    if item.label:
        start["label"] = item.label
    return start
