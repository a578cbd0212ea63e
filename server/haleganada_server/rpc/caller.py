"""Who calls, as far as the log of a workspace keeps it, and whether they still wait."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

import grpc

from haleganada_server.core.access.addresses import network_of
from haleganada_server.core.access.identity import Caller, Identity
from haleganada_server.core.cancellation import Cancellation

from .access.present import get_identity


def caller(context: grpc.ServicerContext) -> Caller:
    """Return who makes the call of this thread, and the address without its port, as "127.0.0.1" or "[::1]"."""
    return Caller(get_identity().name, address_of(context.peer()))


def share_of(identity: Identity | None, context: grpc.ServicerContext) -> str:
    """Return the name under which a call counts for shares: of the token's owner, without one the address."""
    return identity.name if identity is not None and identity.has_token else source_of(context.peer())


def source_of(peer: str) -> str:
    """Return by what the address of a connection is counted; see network_of and address_of."""
    return network_of(address_of(peer))


@lru_cache(4096)  # a connection makes many calls
def address_of(peer: str) -> str:
    """Return the address of a connection that gRPC names, for example, "ipv4:127.0.0.1:40000"."""
    _scheme, _, address = unquote(peer).partition(":")
    return address.rpartition(":")[0] or address


def cancellation(context: grpc.ServicerContext, require_time: Callable[[], None] = lambda: None) -> Cancellation:
    """Return whether the caller still waits: it is connected, and its deadline has not passed. require_time: see
    Cancellation.
    """

    def seconds_left() -> float:
        left = context.time_remaining()
        return math.inf if left is None else left

    return Cancellation(context.is_active, seconds_left, require_time)
