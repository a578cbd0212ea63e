"""Places for calls of one kind, and the share of them that one caller may hold.

Until callers have names, a caller is a connection, and all connections from one address together are another. Neither
can take all places, so whoever comes next finds one.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted
from haleganada_server.rpc.caller import address_of

_RETRY_S = 2.0


class Shares:
    """How many of all places one caller may hold."""

    def __init__(self, total: int, share: float, refusal: str, reason: Reason) -> None:
        """share: of all places, that one connection may hold, above 0 to 1; an address may hold three times as many,
        but leaves that share to others. refusal: what is said, with advice, when there is no place.
        """
        self._total = total
        self.per_connection = max(1, math.floor(total * share))
        self._per_address = max(self.per_connection, min(3 * self.per_connection, total - self.per_connection))
        self._refusal, self._reason = refusal, reason

    def require(self, connection: int, address: int, total: int) -> None:
        """Raise Exhausted for a caller whose connection and address hold so many places, if total are taken."""
        if connection >= self.per_connection:
            raise self.refuse(f"this connection has {self.per_connection} of {self._total}")
        if address >= self._per_address:
            raise self.refuse(f"your address has {self._per_address} of {self._total}")
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
        self._by_connection: Counter[str] = Counter()
        self._by_address: Counter[str] = Counter()

    @contextmanager
    def one(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Hold a place for the block. Raises Exhausted if there is none for this caller."""
        peer = context.peer()
        self.take(peer)
        try:
            yield
        finally:
            self.give_back(peer)

    def take(self, peer: str) -> None:
        """Take a place, to be given back. peer: as gRPC names the other end. Raises Exhausted."""
        address = address_of(peer)
        with self._lock:
            self.shares.require(self._by_connection[peer], self._by_address[address], self._held)
            self._held += 1
            self._by_connection[peer] += 1
            self._by_address[address] += 1

    def give_back(self, peer: str) -> None:
        """Give back a place that was taken."""
        with self._lock:
            self._held -= 1
            for counter, key in ((self._by_connection, peer), (self._by_address, address_of(peer))):
                counter[key] -= 1
                if not counter[key]:
                    del counter[key]
