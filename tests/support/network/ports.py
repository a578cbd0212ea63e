"""Ports of this machine: one that refuses, one that is mute, and one for a program that must be told its port."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


@contextmanager
def refusing_port() -> Iterator[int]:
    """Hold a port on which nobody listens: whoever connects is refused at once, and no other program can take it."""
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        yield holder.getsockname()[1]


@contextmanager
def mute_port() -> Iterator[int]:
    """Hold a port that takes connections and never says a word."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


def can_connect(port: int) -> bool:
    """Return whether somebody listens on a port."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def find_free_port() -> int:
    """Return a port that nobody holds now. Another program may take it; where a program can listen on port 0 and tell
    what it got, let it.
    """
    with refusing_port() as port:
        return port
