"""nginx with our file for single sign-on, in front of the page; what asks the provider is played by a small server."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from haleganada_server.core.access.identity import Role

from tests.conftest import StartServer
from tests.e2e.deploy.envoy import PROXIES
from tests.e2e.deploy.test_proxies import write_nginx
from tests.support.network.certificates import Pair, make_pair, needs_openssl
from tests.support.network.ports import can_connect, find_free_port
from tests.support.tokens import add_token
from tests.support.waiting import wait_until

pytestmark = [
    needs_openssl,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]
HEADER = "X-Forwarded-User"


class _SignOn(BaseHTTPRequestHandler):
    """Knows whoever has the cookie “session” by its value, as oauth2-proxy does by what is sealed in it."""

    def do_GET(self) -> None:
        user = re.search(r"session=(\S+)", self.headers.get("Cookie", ""))
        self.send_response(200 if self.path.startswith("/oauth2/sign_in") else 202 if user else 401)
        if user:
            self.send_header("X-Auth-Request-Email", user[1])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def sign_on() -> Iterator[int]:
    """The port of what asks the provider."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _SignOn) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield int(running.server_address[1])
        running.shutdown()


@pytest.fixture
def page(tmp_path: Path, start_server: StartServer) -> Iterator[int]:
    """The port of a page that believes nginx."""
    data, users = tmp_path / "data", tmp_path / "users"
    users.write_text(f"anna@example.org {add_token(data, 'anna', Role.READ)}\n")
    server = start_server()
    line = [sys.executable, "-m", "haleganada_client.cli", "--server", server.address, "web", "--port", "0"]
    line += ["--behind-proxy", "--trusted-user-header", HEADER, "--trusted-proxy", "127.0.0.1"]
    process = subprocess.Popen([*line, "--user-tokens", str(users)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        found = re.search(r":(\d+) ", process.stdout.readline())
        assert found is not None
        yield int(found[1])
        process.terminate()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "server")


@pytest.fixture
def outside(tmp_path: Path, page: int, sign_on: int, pair: Pair) -> Iterator[int]:
    """The port of nginx."""
    ports = {443: find_free_port(), 80: find_free_port(), 8080: page, 50051: find_free_port()}
    line = write_nginx(tmp_path, ports, pair)
    conf = tmp_path / "haleganada.conf"
    plain = re.compile(r"    location / \{.*?\n    \}\n", re.DOTALL)
    locations = (PROXIES / "nginx-sign-on.conf").read_text().replace("127.0.0.1:4180", f"127.0.0.1:{sign_on}")
    text, count = plain.subn(lambda _: locations, conf.read_text())
    assert count == 1
    conf.write_text(text)
    process = subprocess.Popen(line, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: can_connect(ports[443]))
        yield ports[443]
    finally:
        process.terminate()
        process.wait(30)


def ask(port: int, pair: Pair, path: str, **headers: str) -> tuple[int, str, str]:
    """Return the status, the body and where it leads. Underscores of names are hyphens."""
    trust = ssl.create_default_context(cafile=str(pair.certificate))
    connection = http.client.HTTPSConnection("localhost", port, context=trust, timeout=30)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, answer.getheader("Location") or ""


def test_the_page_knows_who_has_logged_in(outside: int, pair: Pair) -> None:
    status, _, where = ask(outside, pair, "/page/stats")
    assert status == 302 and "/oauth2/sign_in?rd=https://localhost/page/stats" in where
    status, body, _ = ask(outside, pair, "/page/stats", Cookie="session=anna@example.org")
    assert status == 200 and json.loads(body)["samples_total"] == 0
    status, body, _ = ask(outside, pair, "/page/stats", Cookie="session=eve@example.org")
    assert (status, json.loads(body)["reason"]) == (403, "USER_UNKNOWN")


def test_a_browser_cannot_say_who_it_is(outside: int, pair: Pair) -> None:
    status, _, _ = ask(outside, pair, "/page/stats", **{HEADER: "anna@example.org"})
    assert status == 302
    for name in (HEADER, "X-FORWARDED-USER", "x-forwarded-user"):
        claimed = {"Cookie": "session=eve@example.org", name: "anna@example.org"}
        assert ask(outside, pair, "/page/stats", **claimed)[0] == 403
