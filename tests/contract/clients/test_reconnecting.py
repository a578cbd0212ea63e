"""Clients that go on after their server was away, or their connection has died unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from haleganada_client import DeadlineExceeded, HaleganadaClient, JobState, TrainingSettings, Unavailable
from haleganada_client.calls import connection
from haleganada_client.connection import access
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.conftest import RunningServer, StartServer
from tests.e2e.processes import start_server as start_server_process
from tests.support.jobs.datasets import add_letters
from tests.support.jobs.world import COMMAND
from tests.support.network.swallower import line_to
from tests.unit.clients.driven import KINDS

CROSS = [[(10, 10), (90, 90)], [(90, 10), (10, 90)]]
MakeClient = Callable[..., HaleganadaClient]
both_kinds = pytest.mark.parametrize("make", [*KINDS.values()], ids=[*KINDS])


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


@both_kinds
def test_the_first_call_after_the_server_is_back_works(start_server: StartServer, make: MakeClient) -> None:
    server = start_server()
    with make(server.address) as client:
        client.train(CROSS, "x")
        server.stop()
        for _ in range(3):  # each of which lets gRPC wait longer before it connects again
            with pytest.raises(Unavailable):
                client.stats()
        start_server(port=port_of(server.address))
        assert client.stats().samples_total == 1


def test_the_first_call_after_kill_and_restart_works(tmp_path: Path) -> None:
    server = start_server_process(tmp_path)
    with HaleganadaClient(server.address) as client:
        client.train(CROSS, "x")
        server.kill()
        with pytest.raises(Unavailable):
            client.stats()
        server = start_server_process(tmp_path, listen=server.address)
        try:
            assert client.train(CROSS, "x").samples_total == 2
        finally:
            server.kill()


@both_kinds
def test_a_connection_that_died_in_the_silence_is_replaced(
    server: RunningServer, workspace: str, make: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with line_to(server.address) as line, make(line.address, workspace=workspace) as client:
        client.train(CROSS, "x")
        monkeypatch.setattr(connection, "_SILENCE_S", 0.0)
        monkeypatch.setattr(connection, "_PROBE_S", 0.3)
        line.cut()
        assert client.train(CROSS, "x").samples_total == 2
        assert client.stats().samples_total == 2


def test_a_call_that_finds_its_connection_dead_is_the_last_one(
    server: RunningServer, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with line_to(server.address) as line, HaleganadaClient(line.address, workspace=workspace, timeout_s=2) as client:
        client.train(CROSS, "x")
        line.cut()
        with pytest.raises(DeadlineExceeded):
            client.predict(CROSS)
        assert client.predict(CROSS).candidates[0].label == "x"


def test_a_job_is_watched_on_when_its_connection_died(
    start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_KEEPALIVE_MS", 300)
    monkeypatch.setattr(access, "_KEEPALIVE_ANSWER_MS", 300)
    server = start_server(JobProcessRunner(COMMAND, {}))
    add_letters(server.app.datasets, tmp_path)
    with line_to(server.address) as line, HaleganadaClient(line.address) as client:
        asked = client.jobs.start_training("cnn36", "letters", settings=TrainingSettings(epochs=40))
        watch = client.jobs.watch(asked.job_id)
        next(watch)
        line.cut()
        assert list(watch)[-1].state is JobState.SUCCEEDED
