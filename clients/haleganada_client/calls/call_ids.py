"""Names for calls, sent along so that a request has one name from a browser to the server's log.

They are not the contract's request_id, which makes the repetition of a call safe.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

METADATA_KEY = "x-request-id"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")
_present: ContextVar[str] = ContextVar("call_id", default="")


def set_call_id(given: str = "") -> str:
    """Let the calls of this thread or task bear a name, and return it: the given one, or a new one unless it may stand
    in a log as it is.
    """
    call_id = given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(6)
    _present.set(call_id)
    return call_id


def forget_call_id() -> None:
    """Let the calls of this thread or task bear no name."""
    _present.set("")


def get_call_id() -> str:
    """Return the name of this thread's or task's calls; "" if they have none."""
    return _present.get()


def make_metadata() -> tuple[tuple[str, str], ...]:
    """Return what a call sends along to bear its name."""
    call_id = _present.get()
    return ((METADATA_KEY, call_id),) if call_id else ()
