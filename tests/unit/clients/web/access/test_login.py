"""Logging in at a page whose server has tokens: the page shows the token of whoever asks, and none of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from haleganada_client import HaleganadaClient
from haleganada_client.web import create_app, sessions
from haleganada_client.web.sessions import ports
from haleganada_client.web.wsgi import make_app
from haleganada_server.core.access.identity import Role

from tests.conftest import RunningServer
from tests.support.tokens import add_token, revoke_token, wait_until_known
from tests.support.waiting import wait_until
from tests.unit.clients.web.conftest import client_of, data_url


@pytest.fixture
def app(token_server: RunningServer, boss: str) -> Iterator[Flask]:
    """The application, whose own client has a token, too."""
    with HaleganadaClient(token_server.address, token=boss) as client:
        yield create_app(client)


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    return client_of(app)


def log_in(web: FlaskClient, token: str) -> int:
    return web.post("/page/login", json={"token": token}).status_code


def find_refusal(web: FlaskClient) -> dict[str, str]:
    """Return what the page says to whoever may not ask; nothing if they may."""
    answer = web.get("/page/workspaces")
    return answer.get_json() if answer.status_code == 401 else {}


def test_the_page_has_no_rights_of_its_own(web: FlaskClient) -> None:
    for answer in (web.get("/page/workspaces"), web.post("/page/reset", json={"confirm": "default"})):
        assert (answer.status_code, answer.get_json()["reason"]) == (401, "TOKEN_MISSING")
    assert web.get("/").status_code == web.get("/login").status_code == 200


def test_who_logs_in_may_do_what_the_token_allows(
    web: FlaskClient, token_server: RunningServer, token_data: Path
) -> None:
    anna = add_token(token_data, "anna", Role.TEACH)
    wait_until_known(token_server.channel, anna)
    assert log_in(web, anna) == 200
    drawing = {"image": data_url(), "label": "ಅ"}
    assert web.post("/page/train", json=drawing).status_code == 200
    refused = web.post("/page/reset", json={"confirm": "default"})
    assert (refused.status_code, refused.get_json()["reason"]) == (403, "ROLE_TOO_LOW")


def test_a_session_is_one_browsers_and_ends_with_its_logout(app: Flask, web: FlaskClient, boss: str) -> None:
    assert log_in(web, boss) == 200
    assert 'id="log-out"' in web.get("/").text
    assert client_of(app).get("/page/workspaces").status_code == 401
    cookie = web.get_cookie(sessions.COOKIE)
    assert cookie is not None and boss not in cookie.value and len(cookie.value) > 40
    web.post("/page/logout", json={})
    assert web.get_cookie(sessions.COOKIE) is None and web.get("/page/workspaces").status_code == 401
    web.set_cookie(sessions.COOKIE, cookie.value)
    assert web.get("/page/workspaces").status_code == 401
    assert 'id="log-out"' not in web.get("/").text


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_for_this_site_and_no_script(web: FlaskClient, boss: str, scheme: str) -> None:
    answer = web.post("/page/login", json={"token": f" {boss}\n"}, base_url=f"{scheme}://localhost")
    said = answer.headers["Set-Cookie"]
    assert all(part in answer.headers.getlist("Set-Cookie")[-1] for part in ("HttpOnly", "SameSite=Strict", "Max-Age="))
    assert said and ("Secure" in answer.headers.getlist("Set-Cookie")[-1]) == (scheme == "https")


def test_the_number_changes_with_every_login(web: FlaskClient, boss: str) -> None:
    numbers = set()
    web.set_cookie(sessions.COOKIE, "chosen by somebody else")
    for _ in range(3):
        assert log_in(web, boss) == 200
        cookie = web.get_cookie(sessions.COOKIE)
        assert cookie is not None
        numbers.add(cookie.value)
    assert len(numbers) == 3 and "chosen by somebody else" not in numbers


def test_wrong_tokens_are_few(web: FlaskClient, boss: str) -> None:
    statuses = [log_in(web, f"hlg_{number}") for number in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    answer = web.post("/page/login", json={"token": boss})
    assert answer.status_code == 429 and 0 < int(answer.headers["Retry-After"]) <= 60
    other = web.post("/page/login", json={"token": boss}, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 200


def test_wrong_tokens_of_programs_and_of_many_at_once_are_counted_too(app: Flask, boss: str) -> None:
    def ask(number: int, token: str = "") -> int:
        answer = client_of(app).get("/page/workspaces", headers={"Authorization": f"Bearer {token or f'hlg_{number}'}"})
        return answer.status_code

    assert ask(0, boss) == 200
    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(ask, range(16))) == {401: 5, 429: 11}
    assert ask(0, boss) == 200, "who was let in before goes on"


@pytest.mark.parametrize("behind_proxy", [False, True])
def test_the_addresses_of_one_network_are_counted_together(
    token_server: RunningServer, boss: str, behind_proxy: bool
) -> None:
    statuses = []
    with HaleganadaClient(token_server.address) as client:
        web = client_of(create_app(client, behind_proxy=behind_proxy))
        for number in range(6):
            address = f"2001:db8::{number:x}"
            environment = {"REMOTE_ADDR": "127.0.0.1" if behind_proxy else address}
            headers = {"X-Forwarded-For": address} if behind_proxy else {}
            body = {"token": "hlg_wrong" if number < 5 else boss}
            answer = web.post("/page/login", json=body, headers=headers, environ_base=environment)
            statuses.append(answer.status_code)
    assert statuses == [401] * 5 + [429]


def test_other_sites_cannot_log_anybody_in(web: FlaskClient, boss: str) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "http://localhost"}):
        assert web.post("/page/login", json={"token": boss}, headers=headers).status_code == 403
    assert web.post("/page/login", data={"token": boss}).status_code == 415


def test_sessions_are_short(web: FlaskClient, boss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert log_in(web, boss) == 200
    monkeypatch.setattr(ports, "IDLE_S", -1.0)
    assert web.get("/page/workspaces").status_code == 401
    monkeypatch.undo()
    assert web.get("/page/workspaces").status_code == 401


def test_a_revoked_token_ends_its_session(web: FlaskClient, token_server: RunningServer, token_data: Path) -> None:
    anna = add_token(token_data, "anna", Role.READ)
    wait_until_known(token_server.channel, anna)
    assert log_in(web, anna) == 200
    revoke_token(token_data, "anna")
    refused = wait_until(lambda: find_refusal(web))
    assert refused["reason"] == "TOKEN_REVOKED"
    assert web.get_cookie(sessions.COOKIE) is None and 'id="log-out"' not in web.get("/login").text
    assert find_refusal(web)["reason"] == "TOKEN_MISSING"


def test_a_wrong_token_does_not_end_a_session(web: FlaskClient, boss: str) -> None:
    assert log_in(web, boss) == 200
    assert log_in(web, "hlg_wrong") == 401
    assert web.get("/page/workspaces", headers={"Authorization": "Bearer hlg_wrong"}).status_code == 401
    assert web.get("/page/workspaces").status_code == 200


def test_programs_send_their_token_with_each_request(web: FlaskClient, boss: str) -> None:
    assert web.get("/page/workspaces", headers={"Authorization": f"Bearer {boss}"}).status_code == 200
    assert web.get("/page/workspaces").status_code == 401
    for wrong in ("Bearer guessed", "Basic Zm9vOmJhcg==", "Bearer", f"Bearer {boss}x"):
        assert web.get("/page/workspaces", headers={"Authorization": wrong}).status_code == 401, wrong


def test_a_token_that_cannot_be_sent_is_refused(web: FlaskClient) -> None:
    for body in ({"token": "ಅ"}, {"token": ""}, {}, {"token": 5}):
        answer = web.post("/page/login", json=body)
        assert answer.status_code == 400 or answer.get_json()["reason"].startswith("TOKEN_"), body


@pytest.mark.parametrize("behind_proxy", [False, True])
def test_only_a_proxy_in_front_is_believed(token_server: RunningServer, boss: str, behind_proxy: bool) -> None:
    with HaleganadaClient(token_server.address) as client:
        web = client_of(create_app(client, behind_proxy=behind_proxy))
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        assert web.post("/page/login", json={"token": boss}, headers=forwarded).status_code == 200
        cookie = web.get_cookie(sessions.COOKIE)
        assert cookie is not None and cookie.secure == behind_proxy
        for _ in range(9):
            web.post("/page/login", json={"token": "wrong"}, headers=forwarded)
        others = web.post("/page/login", json={"token": boss}, headers={**forwarded, "X-Forwarded-For": "192.0.2.8"})
        assert (others.status_code == 200) == behind_proxy, "who is throttled is an address, not the proxy"


def test_other_web_servers_make_the_page_from_the_environment(
    token_server: RunningServer, boss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALEGANADA_TARGET", token_server.address)
    monkeypatch.setenv("HALEGANADA_ALLOWED_HOSTS", "box.example, other.example")
    web = client_of(make_app())
    assert web.get("/login", headers={"Host": "other.example"}).status_code == 200
    assert web.get("/login", headers={"Host": "third.example"}).status_code == 421
    assert log_in(web, boss) == 200
