"""The messages of short calls that are on their way: how many of them one caller may have, and how long each may take.

Nearly all are here a moment after their calls began. So a call only leaves a note that it waits; who looks for callers
that hold on, once there are many calls or a moment is over, reads the notes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import grpc

from haleganada_server.core.baton import without_baton
from haleganada_server.core.errors import InvalidInput
from haleganada_server.rpc.caller import source_of

from .call_pool import CallPool, OpenCall
from .places import Shares

_FRESH_S = 0.25


class Arrivals:
    """Receives the messages of the calls of one pool. Safe from any thread."""

    def __init__(self, pool: CallPool, shares: Shares, patience_s: float) -> None:
        """shares: of calls whose messages are on their way. patience_s: seconds that a message may take."""
        self._pool, self._shares, self._patience_s = pool, shares, patience_s
        self._counting = threading.Lock()

    def receive(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        """Return the message of the call in this thread. Raises Exhausted for a caller who has too many on the way,
        InvalidInput for one who sends none; who is too slow is cut off.
        """
        call = self._pool.own_call
        call.since = time.monotonic()
        if self._pool.count <= self._shares.per_connection:  # so nobody can have more
            call.waiting = context
        else:
            self._wait_within_share(call, context)
        try:
            with without_baton():
                message = next(requests, None)
        finally:
            call.waiting = None
        if message is None:
            raise InvalidInput("request", "is missing; send one message")
        call.has_arrived = True
        return message

    def count_fresh(self, caller: str) -> int:
        """Return how many calls of a caller, of all if that is "", but for that of this thread, have begun a moment ago
        and not arrived yet; most soon will.
        """
        before = time.monotonic() - _FRESH_S
        return sum(
            (call.caller == caller or not caller)
            and not call.has_arrived
            and call.since > before
            and not self._pool.is_own(call)
            for call in self._pool.list_calls()
        )

    def cut_off(self, now: float, everybody: bool) -> None:
        """End the calls that have waited for too long, or all that wait. now: monotonic clock."""
        for call in self._pool.list_calls():
            context = call.waiting
            if context is not None and (everybody or now - call.since > self._patience_s):
                context.cancel()

    def _wait_within_share(self, call: OpenCall, context: grpc.ServicerContext) -> None:
        peer, connection, everywhere, total = context.peer(), 0, 0, 0
        caller = call.caller = call.caller or source_of(peer)
        with self._counting:
            for other in self._pool.list_calls():
                waiting = other.waiting
                if waiting is None:
                    continue
                other.peer = other.peer or waiting.peer()
                other.caller = other.caller or source_of(other.peer)
                total += 1
                everywhere += other.caller == caller
                connection += other.caller == caller and other.peer == peer
            self._shares.require(connection, everywhere, total)
            call.peer, call.waiting = peer, context
