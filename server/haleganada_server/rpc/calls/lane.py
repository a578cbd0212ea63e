"""Lanes: calls of one kind, with their own threads, places, turns and patience, so that none blocks another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from haleganada_server.core.errors import InvalidInput

from .arrivals import Arrivals
from .call_pool import CallPool
from .patience import Patience, Watchdog
from .places import Places, Shares
from .workers import Workers

Coder = Callable[[Any], Any]

_AT_ONCE = nullcontext()


class ShortLane:
    """For calls with one message each way."""

    def __init__(self, pool: CallPool, shares: Shares, patience_s: float, workers: Workers | None = None) -> None:
        """shares, patience_s: see Arrivals. workers: the turns that the calls need; None = none."""
        self.pool = pool
        self.arrivals = Arrivals(pool, shares, patience_s)
        self._shares, self._workers = shares, workers

    def require_room(self, guess_caller: Callable[[], str | None]) -> None:
        """Raise Exhausted if another call would have to be refused, before it has a thread. guess_caller: returns who
        makes it, "" if nobody is told apart yet, None if that takes time to find out; asked if that matters.
        """
        if self.pool.is_full:
            raise self._shares.refuse()
        if self._workers is not None and self._workers.are_busy and (caller := guess_caller()) is not None:
            self._workers.require_room(caller, self.arrivals.count_fresh)

    def enter(self, caller: str) -> None:
        """Let the call of this thread count as a caller's."""
        self.pool.own_call.caller = caller

    def turn(self, caller: str, context: grpc.ServicerContext) -> AbstractContextManager[None]:
        """Return a block within which a call may work. Entering it raises Exhausted if too many wait."""
        del context
        return self._workers.one(caller) if self._workers is not None else _AT_ONCE


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StreamLane:
    """For all others. places: held to the end of a call. patience_s, bytes_per_s: see Patience."""

    pool: CallPool
    places: Places
    patience_s: float
    bytes_per_s: float
    watchdog: Watchdog

    def require_room(self, guess_caller: Callable[[], str | None]) -> None:
        """Raise Exhausted if another call would have to be refused anyway. guess_caller: see ShortLane."""
        del guess_caller
        if self.pool.is_full:
            raise self.places.shares.refuse()

    def patience(self, give_up: Callable[[], object]) -> Patience:
        """Return the patience with one call."""
        return Patience(self.patience_s, self.bytes_per_s, give_up)


class CallerGone(grpc.RpcError):
    """The stream of requests ended because the call did: the caller is gone, or the server gave up."""


def decode(decoder: Coder, data: bytes) -> Any:
    """Return the message. Raises InvalidInput."""
    try:
        return decoder(data)
    except DecodeError:
        raise InvalidInput(
            "request", "is not this method's message; make the client from this server's contract"
        ) from None
