"""Connections to a web server that are silent, or trickle."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_BEGINNINGS = (
    b"",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
)
"""Of a silent connection, of a slow header, of a slow body."""


@contextmanager
def slow_connections(address: tuple[str, int], count: int) -> Iterator[list[socket.socket]]:
    """Open connections, a third of each kind, and let all but the silent ones send a byte every 0.5 s."""
    opened = [socket.create_connection(address) for _ in range(count)]
    stopped = threading.Event()
    for number, connection in enumerate(opened):
        connection.sendall(_BEGINNINGS[number % 3])

    def trickle() -> None:
        while not stopped.wait(0.5):
            for number, connection in enumerate(opened):
                if number % 3:
                    _send_byte(connection)

    sender = threading.Thread(target=trickle)
    sender.start()
    try:
        yield opened
    finally:
        stopped.set()
        sender.join()
        for connection in opened:
            connection.close()


def count_open(connections: list[socket.socket]) -> int:
    """Return how many the server has not closed."""
    return sum(map(_is_open, connections))


def get(address: tuple[str, int], path: str = "/", timeout_s: float = 120.0) -> float:
    """Make one request; return the seconds until its answer. Raises OSError."""
    started = time.monotonic()
    with socket.create_connection(address, timeout_s) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while data := connection.recv(65536):
            answer += data
    if not answer.startswith(b"HTTP/1.1 200"):
        raise OSError(f"the answer was {answer[:40]!r}")
    return time.monotonic() - started


def _send_byte(connection: socket.socket) -> None:
    try:
        connection.send(b"x", socket.MSG_DONTWAIT)
    except OSError:
        return  # the server has closed it


def _is_open(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
