"""A whole server with encoder workers: callers never notice what happens to them, and none outlives the server."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient, Prediction

from tests.e2e.processes import ServerProcess, encoder_workers, server, zigzag
from tests.slow import slow
from tests.waiting import wait_until

CLIENTS = 32
SECONDS = 6.0


def teach(client: HaleganadaClient) -> None:
    client.train_batch(
        [(zigzag(character, hand), f"c{character}", "", "") for character in range(8) for hand in (1, 2)]
    )


def told(prediction: Prediction) -> list[tuple[str, float]]:
    return [(candidate.label, candidate.probability) for candidate in prediction.candidates]


def get_busy(running: ServerProcess) -> None:
    """Predict so many drawings at once that the workers start."""
    with running.client() as client:
        client.predict_batch([zigzag(i % 8) for i in range(64)])
    wait_until(lambda: len(encoder_workers(running.process.pid)) == 2)


@pytest.mark.slow
def test_no_call_fails_while_workers_are_killed_again_and_again(tmp_path: Path) -> None:
    with server(tmp_path / "data", "--encoder-workers", "2", "--log-level", "error") as running:
        with running.client() as client:
            teach(client)
            # Encoded by the server itself.
            expected = [told(client.predict(zigzag(i), min_revision=0)) for i in range(8)]
        stop = threading.Event()
        killer = threading.Thread(target=_kill_workers, args=(running.process.pid, stop))
        killer.start()
        try:
            with ThreadPoolExecutor(CLIENTS) as pool:
                answered = list(pool.map(client_of(running, expected), range(CLIENTS)))
        finally:
            stop.set()
            killer.join()
        assert min(answered) > 0
        workers = encoder_workers(running.process.pid)
        assert running.stop() == 0
        assert _all_gone(workers)


def client_of(running: ServerProcess, expected: list[list[tuple[str, float]]]) -> Callable[[int], int]:
    """A client that asks for SECONDS and compares every answer; it does not repeat a call that failed."""

    def ask(number: int) -> int:
        end, asked = time.monotonic() + SECONDS, 0
        with running.client(retry=False) as client:
            while time.monotonic() < end:
                character = (number + asked) % 8
                assert told(client.predict(zigzag(character), min_revision=0)) == expected[character]
                asked += 1
        return asked

    return ask


def _kill_workers(server_pid: int, stop: threading.Event) -> None:
    while not stop.wait(1):
        for pid in encoder_workers(server_pid)[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _all_gone(pids: list[int]) -> bool:
    wait_until(lambda: not any(_runs(pid) for pid in pids))
    return True


def _runs(pid: int) -> bool:
    try:
        return "haleganada_server.encoder_worker" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, *slow(signal.SIGTERM, signal.SIGINT)])
def test_no_worker_outlives_its_server(tmp_path: Path, number: signal.Signals) -> None:
    with server(tmp_path / "data", "--encoder-workers", "2") as running:
        get_busy(running)
        workers = encoder_workers(running.process.pid)
        assert len(workers) == 2
        began = time.monotonic()
        running.process.send_signal(number)
        assert running.process.wait(15) == (-number if number is signal.SIGKILL else 0)
        assert time.monotonic() - began < 5
        assert _all_gone(workers)
