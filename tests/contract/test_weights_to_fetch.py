"""Presets whose ImageNet weights are not on the server: lists look at the disk only, a training tries the network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from grpc import StatusCode
from haleganada.v1 import job_service_pb2 as jobs
from haleganada.v1 import job_service_pb2_grpc, model_service_pb2_grpc
from haleganada.v1 import model_service_pb2 as pb
from haleganada_client import HaleganadaClient
from haleganada_client.cli.output.model_report import format_presets
from haleganada_server.runtime.backbone_sources import SOURCES
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.conftest import RunningServer, StartServer
from tests.contract.refusals import expect_refusal
from tests.support.jobs.datasets import add_letters
from tests.support.jobs.world import COMMAND
from tests.support.waiting import wait_until


class CountingProxy:
    """A proxy that counts who comes, and hangs up."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.visits = 0
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def serve(self) -> None:
        """Serve until somebody connects and says so."""
        while True:
            visitor, _ = self._listener.accept()
            with visitor:
                if visitor.recv(64).startswith(b"end"):
                    return
                self.visits += 1

    def end(self) -> None:
        with socket.create_connection(self._listener.getsockname()) as visitor:
            visitor.sendall(b"end")


@contextmanager
def counting_proxy() -> Iterator[CountingProxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = CountingProxy(listener)
        thread = threading.Thread(target=proxy.serve)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.end()
            thread.join()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingProxy]:
    """The only way to the network."""
    with counting_proxy() as found:
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, found.address)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield found


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The empty folder in which torch keeps weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch/hub/checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def server(start_server: StartServer, tmp_path: Path) -> RunningServer:
    running = start_server(JobProcessRunner(COMMAND, {}))
    add_letters(running.app.datasets, tmp_path)
    return running


def list_fetching(server: RunningServer) -> list[str]:
    presets = model_service_pb2_grpc.ModelServiceStub(server.channel).ListPresets(pb.ListPresetsRequest()).presets
    assert not any(preset.missing for preset in presets)
    return [preset.name for preset in presets if preset.needs_network]


def test_a_list_of_presets_asks_the_disk_only(server: RunningServer, cache: Path, proxy: CountingProxy) -> None:
    assert "resnet18-imagenet" in list_fetching(server)
    with HaleganadaClient(server.app.address) as client:
        *_, line = format_presets(client.models.presets()).splitlines()
    assert line.startswith("ImageNet weights of resnet18-imagenet") and "which needs the network" in line
    (cache / SOURCES["resnet18"].file).touch()
    assert not list_fetching(server)
    assert not proxy.visits


@pytest.mark.usefixtures("cache")
def test_a_training_that_cannot_fetch_weights_is_refused(server: RunningServer, proxy: CountingProxy) -> None:
    asked = jobs.StartTrainingRequest(preset="resnet18-imagenet", dataset_id="letters")
    refusal = expect_refusal(lambda: job_service_pb2_grpc.JobServiceStub(server.channel).StartTraining(asked))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "BACKBONE_WEIGHTS_MISSING")
    assert "--backbone-weights" in refusal.message
    wait_until(lambda: proxy.visits)  # the server waits for its own try only so long
    assert proxy.visits == 1
