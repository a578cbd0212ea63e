"""Places for calls of one kind, and the share of them that one caller may hold.

A caller is the owner of a token; without tokens, whoever calls from one address. Neither one connection of a caller nor
all of them together can take all places, so whoever comes next finds one.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.rpc.access.present import find_identity
from haleganada_server.rpc.caller import share_of

_RETRY_S = 2.0
Key = TypeVar("Key", str, tuple[str, str])


class Shares:
    """How many of all places one caller may hold."""

    def __init__(self, total: int, share: float, refusal: str, reason: Reason) -> None:
        """share: of all places, that one connection may hold, above 0 to 1; a caller may hold three times as many, but
        leaves that share to others. refusal: what is said, with advice, when there is no place.
        """
        self._total = total
        self.per_connection = max(1, math.floor(total * share))
        self._per_caller = max(self.per_connection, min(3 * self.per_connection, total - self.per_connection))
        self._refusal, self._reason = refusal, reason

    def require(self, connection: int, caller: int, total: int) -> None:
        """Raise Exhausted for a caller who holds so many places, by this connection and by all, if total are taken."""
        if connection >= self.per_connection:
            raise self.refuse(f"this connection has {self.per_connection} of {self._total}")
        if caller >= self._per_caller:
            raise self.refuse(f"your connections have {self._per_caller} of {self._total}")
        if total >= self._total:
            raise self.refuse()

    def refuse(self, why: str = "") -> Exhausted:
        """Return the error for a call that gets no place. why: "" = all are taken."""
        return Exhausted(f"{self._refusal} ({why or f'all {self._total} are taken'})", self._reason, _RETRY_S)


class Places:
    """Places of which each caller has a share. Safe from any thread."""

    def __init__(self, shares: Shares) -> None:
        self.shares = shares
        self._lock = threading.Lock()
        self._held = 0
        self._by_connection: Counter[tuple[str, str]] = Counter()
        self._by_caller: Counter[str] = Counter()

    @contextmanager
    def one(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Hold a place for the block. Raises Exhausted if there is none for this caller."""
        holder = share_of(find_identity(), context), context.peer()
        self.take(*holder)
        try:
            yield
        finally:
            self.give_back(*holder)

    def take(self, caller: str, peer: str) -> None:
        """Take a place, to be given back. caller: see share_of. peer: the connection. Raises Exhausted."""
        with self._lock:
            self.shares.require(self._by_connection[caller, peer], self._by_caller[caller], self._held)
            self._held += 1
            self._by_connection[caller, peer] += 1
            self._by_caller[caller] += 1

    def give_back(self, caller: str, peer: str) -> None:
        """Give back a place that was taken."""
        with self._lock:
            self._held -= 1
            _count_down(self._by_connection, (caller, peer))
            _count_down(self._by_caller, caller)


def _count_down(counter: Counter[Key], key: Key) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
