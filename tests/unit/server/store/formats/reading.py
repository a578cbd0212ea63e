"""Helpers that sort what the readers yield."""

from __future__ import annotations

from collections.abc import Iterable

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.core.workspaces.types import RefusedItem


def require_items(found: Iterable[ImportItem | RefusedItem]) -> list[ImportItem]:
    """Return all items, and check that none was refused."""
    items = []
    for item in found:
        assert isinstance(item, ImportItem), f"{item.item}: {item.error}"
        items.append(item)
    return items


def require_refusal(found: Iterable[ImportItem | RefusedItem]) -> tuple[str, str]:
    """Return the name of the only item, and the field for which it was refused."""
    (item,) = found
    assert isinstance(item, RefusedItem) and isinstance(item.error, InvalidInput)
    return item.item, item.error.field
