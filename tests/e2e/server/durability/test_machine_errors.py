"""A server whose machine runs out of something says so: nothing sound is called damaged, and it goes on afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient, HaleganadaError
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.e2e.pictures import LINES, picture
from tests.e2e.processes import ServerProcess, server, start_process, zigzag

if sys.platform != "linux":
    pytest.skip("limits of a running process are set as Linux does it", allow_module_level=True)
import resource

NAMES = ("default", "second", "third")
CROSS = picture(LINES["cross"])


@contextmanager
def no_descriptors(running: ServerProcess) -> Iterator[None]:
    """Leave the server no descriptor while the block runs: the limit is the first number that it does not use."""
    pid = running.process.pid
    used = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    lowest_free = next(number for number in range(len(used) + 1) if number not in used)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def teach_all(data: Path) -> None:
    with server(data) as running, running.client() as client:
        for name in NAMES:
            if name != "default":
                client.create_workspace(name)
            client.train(zigzag(1), "a", workspace=name)
            client.save("kept", workspace=name)
        assert running.stop() == 0


def ask_everything(client: HaleganadaClient) -> Iterator[Callable[[], object]]:
    """Calls that read, write and decode, in each workspace."""
    for name in NAMES:
        yield partial(client.predict, CROSS, workspace=name)
        yield partial(client.train, CROSS, "a", workspace=name)
        yield partial(client.stats, workspace=name)
        yield partial(client.save, workspace=name)
        yield partial(client.list_snapshots, workspace=name)
        yield partial(client.list_samples, workspace=name)


def test_no_free_descriptors(tmp_path: Path) -> None:
    teach_all(tmp_path)
    with server(tmp_path) as running, running.client(retry=False) as client:
        assert client.health() == "SERVING"  # connected
        refused = []
        with no_descriptors(running):
            for call in ask_everything(client):
                try:
                    call()
                except HaleganadaError as error:
                    refused.append(error)
        assert refused and {error.reason for error in refused} == {"TOO_MANY_OPEN_FILES"}
        for each in refused:
            assert "ulimit -n" in each.message and each.retry_after_s and str(tmp_path) not in each.message
        for call in ask_everything(client):
            call()
        assert all(not workspace.corrupt for workspace in client.list_workspaces())


@pytest.mark.slow
def test_more_workspaces_than_descriptors(tmp_path: Path) -> None:
    """Each is answered in turn, or refused because of the machine; none is called damaged."""
    make_workspaces(tmp_path, count := 120)
    with few_descriptors(tmp_path, 128) as running, running.client(retry=False) as client:
        reasons = []
        for number in range(count):
            try:
                assert client.train(zigzag(1), "a", workspace=f"w{number}").revision == 1
            except HaleganadaError as error:
                reasons.append(error.reason)
        assert set(reasons) <= {"TOO_MANY_OPEN_FILES"} and len(reasons) < count / 2
        assert all(not workspace.corrupt for workspace in client.list_workspaces())
        assert running.stop() == 0
    with server(tmp_path) as again, again.client() as client:
        assert sum(workspace.samples_total for workspace in client.list_workspaces()) == count - len(reasons)


def make_workspaces(data: Path, count: int) -> None:
    directory = DataDirectory(data, PillowRasterizer())
    for number in range(count):
        directory.create(f"w{number}").close()
    directory.close()


@contextmanager
def few_descriptors(data: Path, limit: int) -> Iterator[ServerProcess]:
    """A server with a low limit of open files, killed at the end."""
    line = [sys.executable, "-m", "haleganada_server", "serve", "--listen", "127.0.0.1:0", "--device", "cpu"]
    options = ["--data", str(data)]
    running = start_process(["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *line, *options])
    try:
        yield running
    finally:
        running.kill()
