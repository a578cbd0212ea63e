"""Real servers for tests: the shipped weights, a temporary data directory, a port that the system chooses."""

from __future__ import annotations

import gc
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in a server's process; numpy looks at it when it is loaded
os.environ["HALEGANADA_PROFILES"] = os.devnull  # not those of whoever runs the tests

import grpc
import pytest
from haleganada.v1 import (
    ocr_service_pb2_grpc,
    reading_service_pb2_grpc,
    sample_service_pb2_grpc,
    workspace_service_pb2,
    workspace_service_pb2_grpc,
)
from haleganada_server.app import App, build_app
from haleganada_server.config import SHIPPED_WEIGHTS, ServerConfig
from haleganada_server.core.access.identity import Role
from haleganada_server.core.jobs.ports import JobRunner
from haleganada_server.core.online.ports import LearnerRunner
from hypothesis import HealthCheck, settings

from tests.support import tiny_reader
from tests.support.network.ports import mute_port
from tests.support.postgres import PostgresServer, drop_tables, missing_postgres, shared_postgres
from tests.support.tokens import add_token

gc.disable()  # until all tests are collected: it would look through their many thousand objects again and again
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 * 2**30
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
    # What the tests write stays in memory: they sync thousands of times, and kill processes, never the machine. Those
    # that need a disk say so (disk_path).
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# A loaded machine draws examples slowly; that is no fault of what is tested. make test-slow takes the thorough profile.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", patient, max_examples=20)
settings.register_profile("thorough", patient, max_examples=150)
settings.load_profile("quick")


def pytest_collection_finish() -> None:
    """From now on, look for garbage among what the tests make."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names of tests that differ from process to process: no test would run in several of them."""
    if changing := [item.nodeid for item in items if re.search(r"\bat 0x[0-9a-f]{6,}", item.nodeid)]:
        raise pytest.UsageError(f"an address is part of the name of {changing[0]}; give its parameters ids")


@dataclass(frozen=True)
class RunningServer:
    """A server in this process, called over real loopback through the generated stubs."""

    app: App
    channel: grpc.Channel
    ocr: ocr_service_pb2_grpc.OCRServiceStub
    samples: sample_service_pb2_grpc.SampleServiceStub
    workspaces: workspace_service_pb2_grpc.WorkspaceServiceStub
    reading: reading_service_pb2_grpc.ReadingServiceStub
    _stop: ExitStack

    def stop(self) -> None:
        """In good order; a second time does nothing."""
        self._stop.close()

    @property
    def address(self) -> str:
        return self.app.address


StartServer = Callable[..., RunningServer]


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    """The weights that the package ships."""
    return SHIPPED_WEIGHTS


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, weights_dir: Path) -> Iterator[RunningServer]:
    """One server for many tests; those that teach do so in a workspace of their own."""
    config = ServerConfig(tmp_path_factory.mktemp("data"), port=0, device="cpu", weights_dir=weights_dir)
    running = run_server(config)
    yield running
    running.stop()


@pytest.fixture
def start_server(tmp_path: Path, weights_dir: Path) -> Iterator[StartServer]:
    """Starts a server with settings of its own, for example start_server(max_transfers=1), and perhaps with other
    processes for jobs and learners; stops it at the end.
    """
    started: list[RunningServer] = []

    def start(
        runner: JobRunner | None = None, learners: LearnerRunner | None = None, **settings: object
    ) -> RunningServer:
        usual = {"data_dir": tmp_path / "data", "port": 0, "device": "cpu", "weights_dir": weights_dir}
        config = ServerConfig(**{**usual, **settings})  # type: ignore[arg-type]
        started.append(run_server(config, runner, learners))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def token_data(tmp_path: Path) -> Path:
    """The data directory of token_server."""
    return tmp_path / "data"


@pytest.fixture
def boss(token_data: Path) -> str:
    """An administrator's token of token_server."""
    return add_token(token_data, "boss", Role.ADMIN)


@pytest.fixture
def token_server(start_server: StartServer, token_data: Path, boss: str) -> RunningServer:
    """A server that asks for tokens."""
    assert boss
    return start_server(data_dir=token_data)


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """tmp_path on a disk, where the folder for temporary files is on one."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """The PostgreSQL server of this test run."""
    if problem := missing_postgres():
        pytest.skip(problem)
    own = tmp_path_factory.getbasetemp()
    with shared_postgres(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) as server:
        yield server


@pytest.fixture(scope="session")
def worker_database(postgres: PostgresServer) -> str:
    """The address of a database that only this process uses."""
    return postgres.make_database(f"tests-{uuid4()}")


@pytest.fixture
def database_url(worker_database: str) -> str:
    """The address of an empty database."""
    drop_tables(worker_database)
    return worker_database


@pytest.fixture
def workspace(server: RunningServer) -> str:
    """The name of a new, empty workspace on the shared server."""
    name = f"test {uuid4()}"
    server.workspaces.CreateWorkspace(workspace_service_pb2.CreateWorkspaceRequest(workspace=name))
    return name


def run_server(
    config: ServerConfig, runner: JobRunner | None = None, learners: LearnerRunner | None = None
) -> RunningServer:
    """A server with these settings, in this process. It reads documents by tests/support/tiny_reader.py."""
    app = build_app(config, runner, learners, tiny_reader.COMMAND)
    app.start()
    stop = ExitStack()
    stop.callback(app.stop, 5)
    big = 32 * 2**20  # above the server's limits, so that tests meet those and not the client's
    options = [("grpc.max_send_message_length", big), ("grpc.max_receive_message_length", big)]
    channel = stop.enter_context(grpc.insecure_channel(app.address, options))
    return RunningServer(
        app,
        channel,
        ocr_service_pb2_grpc.OCRServiceStub(channel),
        sample_service_pb2_grpc.SampleServiceStub(channel),
        workspace_service_pb2_grpc.WorkspaceServiceStub(channel),
        reading_service_pb2_grpc.ReadingServiceStub(channel),
        stop,
    )


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port of this machine that somebody listens on."""
    with mute_port() as port:
        yield port
