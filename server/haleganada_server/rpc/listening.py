"""The port that calls come to, and how many gRPC servers listen on it.

A gRPC server has one thread for the events of all its calls, and that shares Python's lock with the call that runs
(core/baton.py). So there are two servers, over which the system spreads the connections (SO_REUSEPORT): their threads
have the lock twice as often as the call, and refuse a flood from many connections within milliseconds. More than two
brought no more.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import grpc

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

from .certificates import Certificates

SERVERS = 2 if sys.platform == "linux" else 1
"""Other systems give all connections to one of those who listen."""
SHARES_PORT = ("grpc.so_reuseport", int(SERVERS > 1))
"""An option that each of the servers needs."""
_TRIES, _PAUSE_S = 100, 0.01


def listen(servers: Sequence[grpc.Server], host: str, port: int, certificates: Certificates | None) -> int:
    """Bind a port for all servers, 0 = any, and return it. certificates: None = no TLS. Raises Precondition."""
    with _alone_at(host, port):
        _require_free(host, port)
        name = f"[{host}]" if ":" in host else host
        taken = port
        try:
            for server in servers:
                taken = _add_port(server, f"{name}:{taken}", certificates)
                if not taken:
                    raise _cannot_listen(host, port, "the port cannot be had")
        except RuntimeError as error:
            raise _cannot_listen(host, port, "the port cannot be had") from error
    return taken


@contextmanager
def _alone_at(host: str, port: int) -> Iterator[None]:
    """Let no other process find a port free before this one listens there: the system would let both have it, and half
    of the callers would get the wrong server. A name that ends with the process is the lock.
    """
    if not (SERVERS > 1 and port):
        yield
        return
    with socket.socket(socket.AF_UNIX) as turn:
        for remaining in reversed(range(_TRIES)):
            try:
                turn.bind(f"\0haleganada port {port}")
                break
            except OSError as error:
                if not remaining:
                    raise _cannot_listen(host, port, "another server is just starting there") from error
            time.sleep(_PAUSE_S)
        yield


def _add_port(server: grpc.Server, address: str, certificates: Certificates | None) -> int:
    if certificates is None:
        return server.add_insecure_port(address)
    return server.add_secure_port(address, certificates.credentials())


def _require_free(host: str, port: int) -> None:
    """Raise Precondition if an address cannot be listened on; gRPC itself does not say why."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":  # as gRPC does: connections that are closing do not block the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        raise _cannot_listen(host, port, (error.strerror or "not an address").lower()) from error


def _cannot_listen(host: str, port: int, why: str) -> Precondition:
    return Precondition(
        f"cannot listen on {host}:{port} ({why}); choose another with --listen", StartReason.CANNOT_LISTEN
    )
