"""The web server drops connections that are silent or slow, and answers others meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from haleganada_client.web.connections import ConnectionLimits, make_server

from tests.support.network.web_server import run_in_thread
from tests.support.waiting import wait_until
from tests.unit.clients.web.slow_connections import count_open, get, slow_connections

_LARGE = 40 * 2**20


def _app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = bytes(_LARGE if environ["PATH_INFO"] == "/large" else 5)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body[start : start + 2**16] for start in range(0, len(body), 2**16)]


@contextmanager
def _serving(limits: ConnectionLimits) -> Iterator[tuple[str, int]]:
    with run_in_thread(make_server(_app, "127.0.0.1", 0, limits)) as address:
        host, port = address.split(":")
        yield host, int(port)


def test_500_slow_connections_hold_up_nobody_and_are_dropped() -> None:
    limits = ConnectionLimits(connections=800, idle_s=2)
    with _serving(limits) as address, slow_connections(address, 500) as slow:
        # Asked again and again while connections are dropped, whose descriptors it may get.
        wait_until(lambda: get(address) > 0 and count_open(slow) == 0, timeout_s=180)


def test_a_pause_of_the_server_drops_no_request() -> None:
    server = make_server(_app, "127.0.0.1", 0, ConnectionLimits(idle_s=1))
    try:
        with socket.create_connection(("127.0.0.1", int(server.effective_port)), 60) as connection:
            wait_until(lambda: _run_once(server) and bool(server.active_channels))
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(2.5)  # the pause: longer than idle_s and the second between two checks
            connection.setblocking(False)
            wait_until(lambda: _run_once(server) and _has_data(connection))
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)


def _run_once(server: Any) -> bool:
    server.asyncore.loop(timeout=0.1, map=server._map, use_poll=True, count=1)
    return True


def _has_data(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return False


def test_one_address_cannot_take_all_connections() -> None:
    limits = ConnectionLimits(connections=40, address_share=0.5, idle_s=60)
    with _serving(limits) as address, slow_connections(address, 30) as slow:
        wait_until(lambda: count_open(slow) == 20)


def test_an_answer_that_nobody_reads_gives_its_thread_back() -> None:
    limits = ConnectionLimits(threads=1, idle_s=1)
    with _serving(limits) as address, socket.create_connection(address) as silent:
        silent.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        get(address)


def test_a_request_that_comes_fast_enough_is_answered() -> None:
    """It takes longer than a silent connection may live."""
    limits = ConnectionLimits(idle_s=1, min_bytes_per_s=1000)
    with _serving(limits) as address, socket.create_connection(address) as sender:
        sender.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(20):
            sender.sendall(bytes(1000))
            time.sleep(0.1)
        assert sender.recv(12) == b"HTTP/1.1 200"
