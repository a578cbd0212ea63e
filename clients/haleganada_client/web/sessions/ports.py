"""What keeps sessions and counts wrong tokens."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import AbstractContextManager
from typing import Protocol

LONGEST_S = 12 * 3600.0
IDLE_S = 2 * 3600.0
MAX_SESSIONS = 1_000
MAX_TRIES, TRIES_S = 5, 60.0  # wrong tokens of one address, and how long each counts
MAX_ADDRESSES = 10_000
_NUMBER_BYTES = 32


class SessionStore(Protocol):
    """Sessions by the numbers that browsers keep, and the wrong tokens of all addresses. Safe from any thread."""

    def begin(self, token: str) -> str:
        """Begin a session for a token, and return its number."""

    def find(self, number: str) -> str | None:
        """Return the token of a session, which is in use then; None if there is none, or if its time is over."""

    def end(self, number: str) -> None:
        """End a session, if there is one."""

    def one_try(self, address: str) -> AbstractContextManager[None]:
        """Try a token in the block, which counts as a wrong one if the block raises NotAllowed. Raises Exhausted for an
        address with too many wrong ones. Many at once are no more than one after the other.
        """

    def signing_key(self) -> bytes:
        """Return a secret of the page, for what it signs."""


def new_number() -> str:
    """Return a number that nobody can guess."""
    return secrets.token_urlsafe(_NUMBER_BYTES)


def is_over(now: float, began: float, used: float) -> bool:
    """Return whether the time of a session is over, in seconds of any clock."""
    return now - began > LONGEST_S or now - used > IDLE_S


def hash_number(number: str, purpose: str = "") -> bytes:
    """Return what a session is kept by: to look up a hash tells nothing about the numbers that are there. purpose: of
    the hash, to tell it from others of the same number.
    """
    return hashlib.sha256(f"{purpose}{number}".encode("utf-8", "surrogatepass")).digest()
