"""The page in gunicorn, with one worker and with four, which share who has logged in."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor

import pytest
from haleganada_client.web.sessions import COOKIE
from haleganada_server.core.access.identity import Role

from tests.conftest import RunningServer, StartServer
from tests.support.network.ports import can_connect, find_free_port
from tests.support.tokens import add_token, revoke_token
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed")
INK = {"width": 100, "height": 100, "strokes": [{"x": [10, 90], "y": [10, 90]}, {"x": [90, 10], "y": [10, 90]}]}
ROUNDS = 12  # requests that four workers share: one of them alone gets all once in four million times
ROUTE = "/page/stats"


class Browser:
    """Keeps cookies, and the token of the page for writes."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(HTTPCookieProcessor(self.cookies))
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

    def log_in(self, token: str) -> int:
        """Log in, and return the status."""
        return self.ask("/page/login", {"token": token})[0]


class Gunicorn:
    """The page in gunicorn, with a log of which worker has answered what. close() it."""

    def __init__(self, server: str, workers: int, folder: Path) -> None:
        """server: its address. folder: for what the workers share, and for the log."""
        self._log, self.sessions, self._workers = folder / "requests", folder / "sessions.sqlite3", workers
        self._rounds = itertools.count()
        self._port, self._server = find_free_port(), server
        self.address = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Start, once more after close()."""
        self._log.write_text("")
        line = [sys.executable, "-m", "gunicorn", "-w", str(self._workers), "--threads", "4"]
        line += ["-b", f"127.0.0.1:{self._port}", "--access-logfile", str(self._log)]
        line += ["--access-logformat", "%(p)s %(U)s?%(q)s %(s)s", "haleganada_client.web.wsgi:make_app()"]
        shared = {"HALEGANADA_TARGET": self._server, "HALEGANADA_SESSIONS": str(self.sessions)}
        self._process = subprocess.Popen(line, env={**os.environ, **shared}, stderr=subprocess.DEVNULL)
        wait_until(lambda: can_connect(self._port))

    def close(self) -> None:
        """Stop."""
        self._process.terminate()
        self._process.wait(30)

    def answers(self, path: str) -> dict[int, set[int]]:
        """Return the statuses of all answers to a path with its query, by the worker that gave them."""
        found: dict[int, set[int]] = {}
        for worker, place, status in map(str.split, self._log.read_text().splitlines()):
            if place == path:
                found.setdefault(int(worker.strip("<>")), set()).add(int(status))
        return found

    def ask_all(self, browser: Browser) -> dict[int, set[int]]:
        """Ask until each worker has answered; return their statuses."""
        path = f"{ROUTE}?round={next(self._rounds)}"  # lines of the log come after their answers

        def hear() -> dict[int, set[int]]:
            browser.ask(path)
            found = self.answers(path)
            return found if len(found) >= self._workers else {}

        return wait_until(hear)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[RunningServer, int], Gunicorn]]:
    """Starts the page in gunicorn, in front of a server and with so many workers."""
    started: list[Gunicorn] = []

    def start(server: RunningServer, workers: int) -> Gunicorn:
        started.append(Gunicorn(server.address, workers, tmp_path))
        return started[-1]

    yield start
    for page in started:
        page.close()


@pytest.fixture
def anna(tmp_path: Path) -> str:
    """A token that the server has when it starts."""
    return add_token(tmp_path / "data", "anna", Role.TEACH)


@pytest.fixture
def page(serve: Callable[[RunningServer, int], Gunicorn], start_server: StartServer, anna: str) -> Gunicorn:
    """Four workers in front of a server with tokens."""
    return serve(start_server(), 4)


def test_four_workers_are_as_good_as_one_where_nobody_logs_in(
    serve: Callable[[RunningServer, int], Gunicorn], start_server: StartServer
) -> None:
    browser = Browser(serve(start_server(), 4).address)
    for number in range(ROUNDS):
        status, answer = browser.ask("/page/train", {"ink": INK, "label": f"x{number}"})
        assert status == 200, answer
    assert browser.ask(ROUTE)[1]["samples_total"] == ROUNDS


def test_one_worker_needs_no_file(
    serve: Callable[[RunningServer, int], Gunicorn], start_server: StartServer, anna: str
) -> None:
    alone = serve(start_server(), 1)
    browser = Browser(alone.address)
    assert browser.log_in(anna) == 200 and browser.ask(ROUTE)[0] == 200
    assert not alone.sessions.exists()


def test_who_logs_in_at_one_worker_is_logged_in_at_all_and_logged_out_at_all(page: Gunicorn, anna: str) -> None:
    browser, stranger, thief = (Browser(page.address) for _ in range(3))
    assert set.union(*page.ask_all(browser).values()) == {401}
    assert browser.log_in(anna) == 200
    (cookie,) = (cookie for cookie in browser.cookies if cookie.name == COOKIE)
    assert anna not in str(cookie.value) and cookie.has_nonstandard_attr("HttpOnly")
    assert anna.encode() not in page.sessions.read_bytes()
    assert set.union(*page.ask_all(browser).values()) == {200}
    assert set.union(*page.ask_all(stranger).values()) == {401}
    assert browser.ask("/page/logout", {})[0] == 200
    thief.cookies.set_cookie(cookie)  # who has kept the number
    for gone in (browser, thief):
        assert set.union(*page.ask_all(gone).values()) == {401}


def test_a_worker_that_is_killed_and_a_restart_log_nobody_out(page: Gunicorn, anna: str) -> None:
    browser = Browser(page.address)
    assert browser.log_in(anna) == 200
    first = page.ask_all(browser)
    os.kill(killed := next(iter(first)), signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{killed}").exists() if Path("/proc").exists() else True)
    later = page.ask_all(browser)
    assert killed not in later and set.union(*later.values()) == {200}
    page.close()
    page.start()
    assert set.union(*page.ask_all(browser).values()) == {200}


def test_a_token_that_is_revoked_is_refused_by_all_workers_at_once(page: Gunicorn, anna: str, tmp_path: Path) -> None:
    browser = Browser(page.address)
    assert browser.log_in(anna) == 200
    page.ask_all(browser)
    revoke_token(tmp_path / "data", "anna")
    wait_until(lambda: browser.ask(ROUTE)[0] == 401, 5)
    assert set.union(*page.ask_all(browser).values()) == {401}


def test_wrong_tokens_at_all_workers_count_together(page: Gunicorn, anna: str) -> None:
    browsers = [Browser(page.address) for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(lambda number: browsers[number % 4].log_in(f"hlg_{number}"), range(32)))
    assert statuses == {401: 5, 429: 27}

    def is_refused_by_another_worker() -> bool:
        assert browsers[0].log_in(anna) == 429
        return len(page.answers("/page/login?")) > 1

    wait_until(is_refused_by_another_worker)  # on a busy machine, one of them may answer all at first


def test_the_login_page_says_why_nobody_can_log_in(page: Gunicorn, anna: str) -> None:
    page.sessions.touch(0o644)
    page.sessions.chmod(0o644)  # which others may read
    status, answer = Browser(page.address).ask("/page/login", {"token": anna})
    assert (status, answer["reason"]) == (409, "SEVERAL_PROCESSES") and "HALEGANADA_SESSIONS" in answer["error"]
