"""The page in gunicorn, with one worker and with four."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor

import pytest
from haleganada_server.core.access.identity import Role

from tests.conftest import RunningServer, StartServer
from tests.support.network.ports import can_connect, find_free_port
from tests.support.tokens import add_token
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed")
INK = {"width": 100, "height": 100, "strokes": [{"x": [10, 90], "y": [10, 90]}, {"x": [90, 10], "y": [10, 90]}]}
ROUNDS = 12  # requests that four workers share: one of them alone gets all once in four million times


class Browser:
    """Keeps cookies, and the token of the page for writes."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(HTTPCookieProcessor(CookieJar()))
        with self._opener.open(f"{address}/login", timeout=30) as page:
            found = re.search(r'name="csrf" content="([^"]+)"', page.read().decode())
        assert found is not None
        self._csrf = found[1]

    def ask(self, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and the answer; with a body, of a write."""
        headers = {"Content-Type": "application/json", "Origin": self.address, "X-CSRF-Token": self._csrf}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers if data else {})
        try:
            with self._opener.open(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)


@pytest.fixture
def serve() -> Iterator[Callable[[RunningServer, int], Browser]]:
    """Starts the page in gunicorn, in front of a server and with so many workers."""
    started: list[subprocess.Popen[bytes]] = []

    def start(server: RunningServer, workers: int) -> Browser:
        port = find_free_port()
        line = [sys.executable, "-m", "gunicorn", "-w", str(workers), "--threads", "4", "-b", f"127.0.0.1:{port}"]
        environment = {**os.environ, "HALEGANADA_TARGET": server.address}
        line.append("haleganada_client.web.wsgi:make_app()")
        started.append(subprocess.Popen(line, env=environment, stderr=subprocess.DEVNULL))
        wait_until(lambda: can_connect(port))
        return Browser(f"http://127.0.0.1:{port}")

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


def test_four_workers_are_as_good_as_one_where_nobody_logs_in(
    serve: Callable[[RunningServer, int], Browser], start_server: StartServer
) -> None:
    browser = serve(start_server(), 4)
    for number in range(ROUNDS):
        status, answer = browser.ask("/page/train", {"ink": INK, "label": f"x{number}"})
        assert status == 200, answer
    assert browser.ask("/page/stats")[1]["samples_total"] == ROUNDS


@pytest.mark.parametrize("workers", [1, 4])
def test_who_logs_in_stays_so_or_is_told_why_not(
    serve: Callable[[RunningServer, int], Browser], start_server: StartServer, tmp_path: Path, workers: int
) -> None:
    token = add_token(tmp_path / "data", "anna", Role.TEACH)
    browser = serve(start_server(), workers)
    status, answer = browser.ask("/page/login", {"token": token})
    if workers == 1:
        assert status == 200, answer
        assert {browser.ask("/page/stats")[0] for _ in range(ROUNDS)} == {200}
    else:
        assert (status, answer["reason"]) == (409, "SEVERAL_PROCESSES")
