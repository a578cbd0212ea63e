"""What a request may ask for, checked before the core sees it. Labels and drawings are checked by the core and by
vision.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from haleganada_server.core.errors import InvalidInput, NotFound

MAX_BATCH = 256
MAX_TOP_K = 50
DEFAULT_TOP_K = 5
MAX_PAGE = 500
DEFAULT_PAGE = 50
MAX_HISTORY = 10_000
DEFAULT_HISTORY = 500
MAX_REQUEST_ID = 64
MODEL = "few-shot"


def top_k(value: int) -> int:
    """1 to 50; 0 = 5. Raises InvalidInput."""
    if not 0 <= value <= MAX_TOP_K:
        raise InvalidInput("top_k", f"is {value}; ask for 1 to {MAX_TOP_K} candidates")
    return value or DEFAULT_TOP_K


def page_size(value: int) -> int:
    """1 to 500; 0 = 50; more is cut. Raises InvalidInput for a negative one."""
    if value < 0:
        raise InvalidInput("page_size", f"is {value}; it must not be negative")
    return min(value, MAX_PAGE) or DEFAULT_PAGE


def history_points(value: int | None) -> int:
    """0 to 10,000; absent = 500. Raises InvalidInput."""
    if value is None:
        return DEFAULT_HISTORY
    if not 0 <= value <= MAX_HISTORY:
        raise InvalidInput("history_points", f"is {value}; ask for 0 to {MAX_HISTORY} points")
    return value


def batch(size: int, field: str) -> None:
    """Raises InvalidInput unless 1 to 256."""
    if not 1 <= size <= MAX_BATCH:
        raise InvalidInput(field, f"has {size} entries; send 1 to {MAX_BATCH}")


def request_id(value: str) -> str:
    """Up to 64 characters. Raises InvalidInput."""
    if len(value) > MAX_REQUEST_ID:
        raise InvalidInput("request_id", f"has {len(value)} characters; at most {MAX_REQUEST_ID} are allowed")
    return value


def model(value: str) -> None:
    """Raises NotFound for any but the workspace's own."""
    if value not in ("", MODEL):
        raise NotFound("model", value, f"leave it empty, or ask for “{MODEL}”")


def page_token(kind: str, value: Any) -> str:
    """An opaque token that continues a list of this kind behind `value`."""
    return base64.urlsafe_b64encode(json.dumps([kind, value]).encode()).decode()


def page_start(kind: str, token: str, default: Any) -> Any:
    """What page_token was made with; `default` for the first page. Raises InvalidInput."""
    if not token:
        return default
    try:
        found, value = json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error):
        found, value = None, None
    if found != kind or type(value) is not type(default):
        raise InvalidInput("page_token", "is not one of this list; start again without it")
    return value
