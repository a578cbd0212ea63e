"""Names for calls: given by callers, so that a request has one name from a browser to the server's log, or made here.

They are not the contract's request_id, which makes the repetition of a call safe.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

METADATA_KEY = "x-request-id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")


def find_call_id(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """Return the id that a caller gave its call, or a new one if there is none that may stand in a log as it is."""
    for key, value in metadata:
        if key == METADATA_KEY and isinstance(value, str) and _WELL_FORMED.fullmatch(value):
            return value
    return secrets.token_hex(6)
