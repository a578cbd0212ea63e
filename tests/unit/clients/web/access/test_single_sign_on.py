"""Single sign-on: a web server in front names who calls, and nobody else can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from haleganada_client import HaleganadaClient, InvalidInput
from haleganada_client.web import create_app
from haleganada_client.web.single_sign_on import make_single_sign_on
from haleganada_client.web.wsgi import make_app
from haleganada_server.config import ServerConfig
from haleganada_server.core.access.identity import Role

from tests.conftest import RunningServer, StartServer, run_server
from tests.support.tokens import add_token, revoke_token
from tests.support.waiting import wait_until
from tests.unit.clients.web.conftest import client_of, data_url

HEADER = "X-Forwarded-User"
DRAWING = {"image": data_url(), "label": "ಅ"}
PROXY = {"REMOTE_ADDR": "10.1.2.3"}


def write_users(folder: Path) -> Path:
    """Write the page's file of tokens, of a server whose data are in folder/data."""
    data = folder / "data"
    path = folder / "users"
    path.write_text(
        f"# who may use the page\nanna@example.org {add_token(data, 'anna', Role.TEACH)}\n\n"
        f"ravi@example.org\t{add_token(data, 'ravi', Role.READ)}\n"
    )
    return path


@contextmanager
def open_page(server: RunningServer, users: Path, behind_proxy: bool) -> Iterator[FlaskClient]:
    with HaleganadaClient(server.address) as client:
        sign_on = make_single_sign_on(HEADER, ["10.1.0.0/16", "::1"], users)
        yield client_of(create_app(client, behind_proxy=behind_proxy, single_sign_on=sign_on))


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's file of tokens."""
    return write_users(tmp_path_factory.mktemp("users"))


@pytest.fixture(scope="module")
def server(users: Path) -> Iterator[RunningServer]:
    """One for all tests that change no tokens."""
    running = run_server(ServerConfig(users.parent / "data", port=0, device="cpu"))
    yield running
    running.stop()


@pytest.fixture(scope="module", params=[False, True], ids=["alone", "behind a proxy"])
def page(request: pytest.FixtureRequest, server: RunningServer, users: Path) -> Iterator[FlaskClient]:
    with open_page(server, users, request.param) as web:
        yield web


@pytest.fixture
def web(page: FlaskClient) -> FlaskClient:
    """A browser without cookies."""
    return client_of(page.application)


def name_user(user: str) -> dict[str, str]:
    return {HEADER: user, "X-Forwarded-For": "192.0.2.7"}


def test_who_is_named_has_the_role_of_their_token(web: FlaskClient) -> None:
    taught = web.post("/page/train", json=DRAWING, headers=name_user("anna@example.org"), environ_base=PROXY)
    assert taught.status_code == 200
    refused = web.post("/page/train", json=DRAWING, headers=name_user("ravi@example.org"), environ_base=PROXY)
    assert (refused.status_code, refused.get_json()["reason"]) == (403, "ROLE_TOO_LOW")
    assert web.get("/page/stats", headers=name_user("ravi@example.org"), environ_base=PROXY).status_code == 200
    sample = web.get("/samples", headers=name_user("anna@example.org"), environ_base=PROXY).get_json()["samples"][0]
    assert sample["author"] == "anna"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.2.0.1", "192.0.2.7", ""])
@pytest.mark.parametrize("path", ["/", "/page/stats", "/login", "/static/images/icon.svg"])
def test_the_header_is_refused_from_elsewhere(web: FlaskClient, address: str, path: str) -> None:
    for claimed in ({HEADER: "anna@example.org"}, {HEADER: "anna@example.org", "X-Forwarded-For": "10.1.2.3"}):
        answer = web.get(path, headers=claimed, environ_base={"REMOTE_ADDR": address})
        assert (answer.status_code, answer.get_json()["reason"]) == (403, "USER_NOT_TRUSTED")


@pytest.mark.parametrize("user", ["eve@example.org", "anna@example.org,ravi@example.org", "ANNA@example.org", "#"])
def test_who_has_no_token_here_is_told(web: FlaskClient, user: str) -> None:
    answer = web.get("/page/stats", headers=name_user(user), environ_base=PROXY)
    assert (answer.status_code, answer.get_json()["reason"]) == (403, "USER_UNKNOWN")
    assert user in answer.get_json()["error"]


def test_who_is_not_named_logs_in_as_usual(web: FlaskClient, users: Path) -> None:
    token = users.read_text().split()[-1]
    for headers in ({}, {HEADER: ""}):
        assert web.get("/page/stats", headers=headers, environ_base=PROXY).status_code == 401
    assert web.post("/page/login", json={"token": token}).status_code == 200
    assert web.get("/page/stats").status_code == 200


def test_a_header_counts_more_than_a_session_and_a_token(web: FlaskClient, users: Path) -> None:
    anna = users.read_text().split()[6]
    bearer = {**name_user("ravi@example.org"), "Authorization": f"Bearer {anna}"}
    answer = web.post("/page/train", json=DRAWING, headers=bearer, environ_base=PROXY)
    assert answer.get_json()["reason"] == "ROLE_TOO_LOW"


@pytest.mark.parametrize("behind_proxy", [False, True])
def test_changes_of_the_file_and_of_tokens_are_known_at_once(
    start_server: StartServer, tmp_path: Path, behind_proxy: bool
) -> None:
    users = write_users(tmp_path)
    with open_page(start_server(), users, behind_proxy) as own:

        def ask(user: str) -> tuple[int, str]:
            answer = own.get("/page/stats", headers=name_user(user), environ_base=PROXY)
            return answer.status_code, (answer.get_json() or {}).get("reason", "")

        users.write_text(users.read_text().replace("ravi@", "rani@"))
        assert ask("ravi@example.org") == (403, "USER_UNKNOWN") and ask("rani@example.org")[0] == 200
        revoke_token(tmp_path / "data", "ravi")
        wait_until(lambda: ask("rani@example.org") == (403, "TOKEN_REVOKED"))  # no other token is asked for
        users.write_text("a b c\n")
        assert ask("rani@example.org")[0] == 400
        users.unlink()
        assert ask("rani@example.org")[0] == 500


def test_other_sites_cannot_use_somebodys_sign_on(web: FlaskClient) -> None:
    headers = {**name_user("anna@example.org"), "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert web.post("/page/train", json=DRAWING, headers=headers, environ_base=PROXY).status_code == 403


def test_options_that_are_not_enough(users: Path, tmp_path: Path) -> None:
    assert make_single_sign_on("", [], None) is None
    for header, proxies, file in ((HEADER, [], users), ("", ["::1"], users), (HEADER, ["::1"], None)):
        with pytest.raises(InvalidInput, match="all three"):
            make_single_sign_on(header, proxies, file)
    for wrong in ("10.1.2.3/8", "proxy.example"):
        with pytest.raises(InvalidInput, match="--trusted-proxy"):
            make_single_sign_on(HEADER, [wrong], users)
    with pytest.raises(OSError, match="none"):
        make_single_sign_on(HEADER, ["::1"], tmp_path / "none")


def test_other_web_servers_take_it_from_the_environment(
    server: RunningServer, users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"TARGET": server.address, "TRUSTED_USER_HEADER": HEADER, "USER_TOKENS": str(users)}
    for name, value in {**settings, "TRUSTED_PROXY": "10.1.0.0/16, ::1"}.items():
        monkeypatch.setenv(f"HALEGANADA_{name}", value)
    web = client_of(make_app())
    for address in ("10.1.9.9", "::1"):
        answer = web.get("/page/stats", headers=name_user("ravi@example.org"), environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 200
