"""A lane: calls of one kind, with its own threads, places, turns and patience, so that none blocks another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from haleganada_server.core.errors import InvalidInput

from .patience import Patience, Watchdog
from .places import Places
from .workers import CallPool, Workers

Coder = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Lane:
    """places: for calls whose message is on its way; in a stream, until its end. patience_s, bytes_per_s: see Patience.
    workers: the turns that its calls need; None = each is carried out at once.
    """

    pool: CallPool
    places: Places
    patience_s: float
    bytes_per_s: float
    watchdog: Watchdog
    workers: Workers | None = None

    def require_room(self) -> None:
        """Raise Exhausted if another call would have to be refused anyway."""
        if self.pool.is_full:
            raise self.places.refusal()
        if self.workers is not None:
            self.workers.require_room(self.pool.count_fresh())

    def turn(self, context: grpc.ServicerContext) -> AbstractContextManager[None]:
        """Return a block within which a call may work. Entering it raises Exhausted if too many wait."""
        del context  # whoever has arrived waits as all others do
        return self.workers.one() if self.workers is not None else nullcontext()

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
