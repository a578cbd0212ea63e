"""How the embedder's device is, as those hear who ask the server, `haleganada doctor` and `haleganada top`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from haleganada_client import HaleganadaClient
from haleganada_server import app
from haleganada_server.core.glyphs.ports import DeviceState
from haleganada_server.runtime.select import Selected, select_embedder

from tests.conftest import RunningServer, StartServer

NOTE = "cuda:0 has no memory left at 12:00, so the CPU embeds instead"


@pytest.fixture
def start_with(start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[DeviceState], RunningServer]:
    """Starts a server whose device is in this state."""

    def start(state: DeviceState) -> RunningServer:
        def select(*arguments: object) -> Selected:
            return replace(select_embedder(*arguments), describe=lambda: state)  # type: ignore[arg-type]

        monkeypatch.setattr(app, "select_embedder", select)
        return start_server()

    return start


def run_cli(server: RunningServer, *command: str) -> str:
    line = [sys.executable, "-m", "haleganada_client.cli", "--server", server.address, *command]
    return subprocess.run(line, capture_output=True, text=True, check=False).stdout


def find_gpu(server: RunningServer) -> list[tuple[str, str]]:
    """What doctor says of a GPU: state and detail."""
    found = json.loads(run_cli(server, "doctor", "--json"))
    return [(one["state"], one["detail"]) for one in found if one["what"] == "gpu"]


def test_a_gpu_that_is_not_used(start_with: Callable[[DeviceState], RunningServer]) -> None:
    server = start_with(DeviceState(10**9, 2 * 10**9, NOTE))
    with HaleganadaClient(server.address) as client:
        status = client.server_status()
    assert (status.device_memory_bytes, status.device_memory_limit_bytes) == (10**9, 2 * 10**9)
    assert status.device_note == NOTE
    assert find_gpu(server) == [("warn", NOTE)]
    top = run_cli(server, "top", "--once", "--interval", "0.1")
    assert NOTE in top and "1.0 GB of 2.0 GB" in top


def test_a_gpu_that_is_used(start_with: Callable[[DeviceState], RunningServer]) -> None:
    ((state, detail),) = find_gpu(start_with(DeviceState(10**9, 2 * 10**9)))
    assert state == "ok" and "uses 1.0 GB of 2.0 GB" in detail


def test_nothing_is_said_without_a_gpu(start_with: Callable[[DeviceState], RunningServer]) -> None:
    assert find_gpu(start_with(DeviceState())) == []
