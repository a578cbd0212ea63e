"""`haleganada top`, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

from haleganada_client import HaleganadaClient, Lesson

from tests.conftest import RunningServer
from tests.e2e.processes import zigzag
from tests.support.waiting import wait_until


def top(server: RunningServer, *options: str) -> list[str]:
    return [sys.executable, "-m", "haleganada_client.cli", "--server", server.address, *options]


def run(server: RunningServer, *options: str) -> str:
    return subprocess.run(top(server, *options), check=True, capture_output=True, text=True, timeout=60).stdout


def test_one_look(server: RunningServer, workspace: str) -> None:
    with HaleganadaClient(server.address, workspace=workspace) as client:
        client.train_batch([Lesson(zigzag(1), "1")])
    shown = run(server, "top", "--once", "--interval", "0.1")
    assert "TrainBatch" in shown and "p99 ms" in shown and "readers busy" in shown and "\x1b" not in shown
    looked = json.loads(run(server, "--json", "top", "--once", "--interval", "0.1"))
    assert looked["calls_total"] >= 3 and looked["calls_per_second"] > 0 and looked["samples"] >= 1
    assert looked["calls_per_second_by_method"]["GetServerStatus"] > 0 and looked["memory_bytes"] > 2**20


def test_each_look_is_a_line_until_it_is_ended(server: RunningServer) -> None:
    with subprocess.Popen(
        top(server, "--json", "top", "--interval", "0.1"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.kill()
        wait_until(lambda: process.poll() is not None)
    assert looks[0]["uptime_seconds"] < looks[1]["uptime_seconds"] < looks[2]["uptime_seconds"]
