"""Sessions that several processes of a page share."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from haleganada_client import HaleganadaClient
from haleganada_client.errors import Exhausted, FailedPrecondition, NotAllowed
from haleganada_client.web import create_app
from haleganada_client.web.security import HEADER
from haleganada_client.web.sessions import COOKIE, ports, shared
from haleganada_client.web.sessions.shared import SharedSessions

from tests.conftest import RunningServer
from tests.unit.clients.web.conftest import client_of

SEVERAL = {"wsgi.multiprocess": True}
TOKEN = "hlg_secret-of-anna"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "folder" / "sessions.sqlite3"


@pytest.fixture
def one(path: Path) -> SharedSessions:
    return SharedSessions(path, "box:50051")


@pytest.fixture
def other(path: Path) -> SharedSessions:
    """What another process of the page has."""
    return SharedSessions(path, "box:50051")


@pytest.fixture
def pages(
    token_server: RunningServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[FlaskClient, FlaskClient]]:
    """Two processes of a page, as far as they know."""
    monkeypatch.setenv("HALEGANADA_SESSIONS", str(path))
    with HaleganadaClient(token_server.address) as client:
        first, second = (client_of(_make_several(client)) for _ in range(2))
        yield first, second


def _make_several(client: HaleganadaClient) -> Flask:
    app = create_app(client)
    made = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: made({**environ, **SEVERAL}, start_response)  # type: ignore[method-assign]
    return app


def refuse(sessions: SharedSessions, address: str = "192.0.2.1") -> None:
    with pytest.raises(NotAllowed), sessions.one_try(address):
        raise NotAllowed("wrong", "TOKEN_UNKNOWN")


def test_who_logs_in_at_one_process_is_logged_in_at_all_and_out_at_all(
    pages: tuple[FlaskClient, FlaskClient], boss: str
) -> None:
    first, second = pages
    assert first.post("/page/login", json={"token": boss}).status_code == 200
    cookie = first.get_cookie(COOKIE)
    assert cookie is not None and boss not in cookie.value
    assert second.get("/page/workspaces").status_code == 401, "which is another browser"
    second.set_cookie(COOKIE, cookie.value)
    assert second.get("/page/workspaces").status_code == 200
    assert second.post("/page/logout", json={}).status_code == 200
    for page in pages:
        page.set_cookie(COOKIE, cookie.value)
        assert page.get("/page/workspaces").get_json()["reason"] == "TOKEN_MISSING"


def test_what_one_process_has_signed_counts_at_the_other(pages: tuple[FlaskClient, FlaskClient], boss: str) -> None:
    first, second = pages
    found = re.search(r'name="csrf" content="([^"]+)"', first.get("/login").text)
    assert found is not None
    headers = {"Origin": "http://localhost", HEADER: found[1]}
    assert second.post("/page/login", json={"token": boss}, headers=headers).status_code == 200
    headers[HEADER] += "x"
    assert second.post("/page/login", json={"token": boss}, headers=headers).status_code == 403


def test_the_file_is_private_and_of_no_use_to_who_reads_it(one: SharedSessions, path: Path) -> None:
    number = one.begin(TOKEN)
    content = path.read_bytes()
    assert TOKEN.encode() not in content and number.encode() not in content
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_a_session_ends_with_its_logout_and_with_its_time(
    one: SharedSessions, other: SharedSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [one.begin(TOKEN) for _ in range(4)]
    assert len(set(numbers)) == 4 and all(other.find(number) == TOKEN for number in numbers)
    other.end(numbers[0])
    assert [one.find(number) for number in numbers[:2]] == [None, TOKEN]
    now = time.time()
    for later in (3600.0, 2 * 3600.0, 3 * 3600.0):  # each less than two hours after the last use
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert other.find(numbers[1]) == TOKEN
    assert one.find(numbers[2]) is None, "which nobody has used for two hours"
    for hour in range(4, 12):
        monkeypatch.setattr(time, "time", lambda hour=hour: now + hour * 3600.0)
        assert one.find(numbers[1]) == TOKEN
    monkeypatch.setattr(time, "time", lambda: now + 12 * 3600.0 + 60)
    assert one.find(numbers[1]) is None


def test_a_clock_that_is_set_back_makes_no_session_longer(one: SharedSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    number, now = one.begin(TOKEN), time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600.0)
    assert one.find(number) is None


def test_numbers_that_nobody_was_given_are_nobodys(one: SharedSessions, path: Path) -> None:
    assert one.find("guessed") is None and not path.exists()
    one.begin(TOKEN)
    for number in ("guessed", "", "\udc80", "x" * 5000):
        assert one.find(number) is None
        one.end(number)


def test_no_token_is_shown_to_another_server(one: SharedSessions, path: Path) -> None:
    number = one.begin(TOKEN)
    assert SharedSessions(path, "elsewhere:50051").find(number) is None and one.find(number) == TOKEN


def test_there_are_not_too_many_sessions(one: SharedSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MAX_SESSIONS", 3)
    numbers = [one.begin(TOKEN) for _ in range(5)]
    assert [one.find(number) for number in numbers] == [None, None, TOKEN, TOKEN, TOKEN]


def test_wrong_tokens_of_all_processes_count_together(
    one: SharedSessions, other: SharedSessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sessions in (one, other, one):
        refuse(sessions)
        with sessions.one_try("192.0.2.1"):
            pass  # a right one does not count
    refuse(other)
    refuse(one)
    for sessions in (one, other):
        with pytest.raises(Exhausted, match="try again in 60 s") as refused, sessions.one_try("192.0.2.1"):
            pass
        assert refused.value.retry_after_s == 60
        with sessions.one_try("192.0.2.2"):
            pass
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    refuse(other)


def test_many_wrong_tokens_at_once_are_no_more_than_one_after_the_other(
    one: SharedSessions, other: SharedSessions
) -> None:
    def attempt(number: int) -> str:
        try:
            with (one, other)[number % 2].one_try("2001:db8::1" if number % 3 else "2001:db8::2"):
                time.sleep(0.02)
                raise NotAllowed("wrong", "TOKEN_UNKNOWN")
        except (NotAllowed, Exhausted) as error:
            return error.reason

    with ThreadPoolExecutor(16) as pool:
        assert Counter(pool.map(attempt, range(32))) == {"TOKEN_UNKNOWN": 5, "TOO_MANY_TRIES": 27}


def test_what_a_killed_process_was_trying_counts_for_a_minute(
    one: SharedSessions, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_PATIENCE_S", 0.1)
    for _ in range(4):
        refuse(one)
    with closing(sqlite3.connect(path)) as file:
        file.execute("INSERT INTO tries (source, time, is_wrong) VALUES ('192.0.2.1', ?, 0)", (time.time(),))
        file.commit()
    with pytest.raises(Exhausted), one.one_try("192.0.2.1"):
        pass
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    refuse(one)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
@pytest.mark.parametrize("fault", ["mode", "link", "folder", "no folder"])
def test_a_file_that_others_may_use_is_not_used(one: SharedSessions, path: Path, tmp_path: Path, fault: str) -> None:
    if fault == "no folder":
        path.parent.write_text("")
    elif fault == "folder":
        path.parent.mkdir()
        path.parent.chmod(0o1777)  # as /tmp
    else:
        one.begin(TOKEN)
        if fault == "mode":
            path.chmod(0o640)
        else:
            path.rename(tmp_path / "mine")
            path.symlink_to(tmp_path / "mine")
    with pytest.raises(FailedPrecondition, match="HALEGANADA_SESSIONS") as refused:
        one.begin(TOKEN)
    assert refused.value.reason == "SEVERAL_PROCESSES" and str(path) not in refused.value.message


def test_a_damaged_file_is_made_anew(one: SharedSessions, path: Path) -> None:
    number = one.begin(TOKEN)
    path.write_bytes(b"\xa5" * 9000)
    with pytest.raises(FailedPrecondition, match="try again"):
        one.begin(TOKEN)
    assert one.find(number) is None
    assert one.find(one.begin(TOKEN)) == TOKEN


def test_the_page_says_why_nobody_can_log_in(pages: tuple[FlaskClient, FlaskClient], boss: str, path: Path) -> None:
    path.parent.write_text("")
    web, _ = pages
    web.set_cookie(COOKIE, "old")
    assert web.get("/").status_code == web.get("/login").status_code == 200
    refused = web.post("/page/login", json={"token": boss})
    assert (refused.status_code, refused.get_json()["reason"]) == (409, "SEVERAL_PROCESSES")
    assert "--workers 1" in refused.get_json()["error"]


def test_limits_are_those_of_one_process() -> None:
    assert (ports.MAX_TRIES, ports.TRIES_S, ports.LONGEST_S, ports.IDLE_S) == (5, 60.0, 12 * 3600.0, 2 * 3600.0)
