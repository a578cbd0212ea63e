"""The web server's connections: how many there may be, and how long it waits for one that is silent or slow.

waitress receives requests and sends responses in one thread, for all connections, so a slow one costs no thread. What
it lacks is an end for those that send or read just enough not to be idle.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server

from haleganada_client.limits import MAX_UPLOAD_BYTES

from .addresses import network_of

_HAS_POLL = hasattr(select, "poll")  # everywhere but on Windows
_SPARE_DESCRIPTORS = 128  # of the process, for all that is no connection


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """connections: at once; further ones wait until one ends. address_share: of them, that one address may hold.

    idle_s: seconds after which a silent connection is closed. min_bytes_per_s: a request that comes more slowly uses up
    those seconds. threads: requests that are answered at once.
    """

    connections: int = 1000
    address_share: float = 0.75
    idle_s: int = 20
    min_bytes_per_s: int = 1024
    threads: int = 16


def make_server(app: Any, host: str, port: int, limits: ConnectionLimits) -> Any:
    """Return waitress's server for an application. Raises OSError or ValueError if it cannot listen there."""
    server = create_server(
        app,
        host=host,
        port=port,
        threads=limits.threads,
        max_request_body_size=MAX_UPLOAD_BYTES,
        ident=None,
        connection_limit=min(limits.connections, _count_descriptors() - _SPARE_DESCRIPTORS),
        channel_timeout=limits.idle_s,
        cleanup_interval=1,
        channel_request_lookahead=1,  # or waitress would not hear of connections that are closed while it answers
        asyncore_use_poll=_HAS_POLL,  # select() ends at the 1,024th descriptor
        log_socket_errors=False,
    )
    for listener in _find_listeners(server):
        listener.channel_class = _make_channel_class(limits)
        listener.maintenance = _Maintenance(listener, limits)
    return server


class _Maintenance:
    """Closes the connections of one listener that have made the server wait too long. Called each second.

    A connection is closed when two calls in a row find it overdue: between them the server has taken what had arrived,
    so a pause of the server itself is not held against its callers.
    """

    def __init__(self, listener: BaseWSGIServer, limits: ConnectionLimits) -> None:
        self._listener, self._limits = listener, limits
        self._overdue: set[HTTPChannel] = set()

    def __call__(self, now: float) -> None:
        channels = self._listener.active_channels.values()
        overdue = {channel for channel in channels if self._is_overdue(channel, now)}
        for channel in overdue & self._overdue:
            if _HAS_POLL:
                # Closed by waitress when it hears of this: a connection that is closed between two polls would leave
                # its descriptor's number to a new one, which would be closed in its place. will_close would wait until
                # the other end reads.
                with suppress(OSError):
                    channel.socket.shutdown(socket.SHUT_RDWR)
            else:
                channel.will_close = True  # select() fails for a connection that is closed while it is asked
        self._overdue = overdue - self._overdue

    def _is_overdue(self, channel: HTTPChannel, now: float) -> bool:
        # With an answer in work, the server waits for the caller only when too much of it has not been read.
        waits = not channel.requests or channel.total_outbufs_len > 0
        silent: bool = channel.last_activity < now - self._limits.idle_s
        return waits and silent


def _make_channel_class(limits: ConnectionLimits) -> type[HTTPChannel]:
    most = max(1, int(limits.connections * limits.address_share))

    class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
        """A connection whose request has to come fast enough."""

        _patient_since = 0.0

        def __init__(self, server: BaseWSGIServer, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:
            super().__init__(server, sock, addr, adj, map)
            source, others = network_of(addr[0]), server.active_channels.values()
            same = sum(network_of(channel.addr[0]) == source for channel in others)
            self.will_close = same > most

        def received(self, data: bytes) -> bool:
            before = self._patient_since if self.request is not None else time.time()
            taken: bool = super().received(data)
            # Every byte gives back some of the patience, not all of it: last_activity lags behind for a slow sender.
            self._patient_since = min(time.time(), before + len(data) / limits.min_bytes_per_s)
            if self.request is not None:
                self.last_activity = self._patient_since
            return taken

    return Channel


def _find_listeners(server: Any) -> Iterator[BaseWSGIServer]:
    """Yield a server's listening sockets: several if a name stands for several addresses."""
    if isinstance(server, BaseWSGIServer):
        yield server
    else:
        yield from (found for found in server.map.values() if isinstance(found, BaseWSGIServer))


def _count_descriptors() -> int:
    """Return how many files and connections this process may have open."""
    try:
        import resource
    except ImportError:  # Windows
        return 512
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**20 if soft == resource.RLIM_INFINITY else soft
