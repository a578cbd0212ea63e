"""Page tokens: where a list goes on. They are opaque to clients and valid for one list only."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TypeVar, cast

from haleganada_server.core.errors import InvalidInput

Item = TypeVar("Item")
Position = TypeVar("Position", int, str)


def encode(listing: str, position: int | str) -> str:
    """Return the token of the page of `listing` that begins after `position`; "" after nothing, on the last page."""
    if not position:
        return ""
    text = json.dumps([listing, position], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(listing: str, token: str, start: Position) -> Position:
    """Return the position in a token of `listing`, `start` for an empty one. Raises InvalidInput for anything else."""
    if not token:
        return start
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        kind, position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError):
        kind, position = None, None
    known = kind == listing and type(position) is type(start)
    if not known or (isinstance(position, int) and not 0 < position < 2**63):
        raise InvalidInput("page_token", "is not one of this list; use the next_page_token of the page before, or none")
    return cast(Position, position)


def skip_to_after(items: list[Item], item_id: str, id_of: Callable[[Item], str], kind: str) -> list[Item]:
    """Return the items that follow the one with this id, all of them for "". Raises InvalidInput if it is gone."""
    if not item_id:
        return items
    ids = [id_of(item) for item in items]
    if item_id not in ids:
        raise InvalidInput("page_token", f"belongs to a {kind} that is gone; begin again without it")
    return items[ids.index(item_id) + 1 :]
