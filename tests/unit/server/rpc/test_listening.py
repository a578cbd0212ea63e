"""A port belongs to one server process, although several gRPC servers of it share it."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import grpc
from haleganada_server.core.errors import Precondition
from haleganada_server.rpc.listening import SERVERS, SHARES_PORT, listen

STARTING = 6


def test_of_servers_that_start_at_once_one_gets_the_port() -> None:
    for _ in range(8):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        together, ended = Barrier(STARTING), Barrier(STARTING)

        def start(port: int = port, together: Barrier = together, ended: Barrier = ended) -> bool:
            servers = [grpc.server(ThreadPoolExecutor(1), options=[SHARES_PORT]) for _ in range(SERVERS)]
            together.wait(60)
            try:
                return listen(servers, "127.0.0.1", port, None) == port
            except Precondition:
                return False
            finally:
                ended.wait(60)
                for server in servers:
                    server.stop(None)

        with ThreadPoolExecutor(STARTING) as pool:
            started = [pool.submit(start) for _ in range(STARTING)]
            assert sum(one.result() for one in started) == 1
