"""What other sites, other names and other programs must not be able to do."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from flask.testing import FlaskClient
from haleganada_client.web.security import HEADER

from tests.unit.clients.web.conftest import data_url

BROWSER = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
DRAWING = {"image": data_url(), "char": "ಅ"}


def token(web: FlaskClient) -> str:
    """What the page's scripts read; the cookie stays in the client."""
    found = re.search(r'name="csrf" content="([^"]+)"', web.get("/").text)
    assert found is not None
    return found[1]


def test_a_program_needs_no_token(web: FlaskClient) -> None:
    assert web.post("/train", json=DRAWING).status_code == 200


def test_the_page_with_its_token(web: FlaskClient) -> None:
    assert web.post("/train", json=DRAWING, headers={**BROWSER, HEADER: token(web)}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        BROWSER,
        {**BROWSER, HEADER: "guessed"},
        {**BROWSER, HEADER: ""},
    ],
)
def test_other_sites_and_missing_tokens(web: FlaskClient, headers: dict[str, str]) -> None:
    token(web)  # the victim has the page open, so the cookie is there
    for path in ("/train", "/reset", "/page/undo"):
        assert web.post(path, json=DRAWING, headers=headers).status_code == 403


def test_a_browser_that_keeps_no_cookies(web: FlaskClient) -> None:
    given = token(web)
    web.delete_cookie("haleganada_csrf")
    assert web.post("/train", json=DRAWING, headers={**BROWSER, HEADER: given}).status_code == 200
    for forged in ("", ".", "guessed", f"{given}0", f"x{given}", given.partition(".")[0]):
        assert web.post("/train", json=DRAWING, headers={**BROWSER, HEADER: forged}).status_code == 403
    foreign = {"Origin": "http://evil.example", HEADER: given}
    assert web.post("/train", json=DRAWING, headers=foreign).status_code == 403


def test_a_browser_that_forgot_its_cookies_can_ask_again(web: FlaskClient) -> None:
    old = "of-an-earlier-process.0000"
    token(web)
    web.delete_cookie("haleganada_csrf")
    refused = web.post("/page/undo", json={}, headers={**BROWSER, HEADER: old})
    assert refused.status_code == 403 and refused.get_json()["reason"] == "PAGE_OUTDATED"
    new = web.get("/page/token").get_json()["token"]
    assert web.post("/train", json=DRAWING, headers={**BROWSER, HEADER: new}).status_code == 200


def test_no_other_site_may_read(web: FlaskClient) -> None:
    answer = web.get("/stats", headers={"Origin": "http://evil.example"})
    assert not [name for name in dict(answer.headers) if name.startswith("Access-Control-")]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_nothing_is_for_debugging(web: FlaskClient) -> None:
    app: Flask = web.application
    assert not app.debug and not app.testing
    assert web.get("/console").status_code == 404


def test_a_form_of_another_site_sends_no_json(web: FlaskClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert web.post("/reset", data='{"confirm": "default"}', content_type=kind).status_code == 415


def test_the_cookie_is_not_for_scripts_or_other_sites(web: FlaskClient) -> None:
    cookie = web.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.1.5:8080", "[::2]"])
def test_names_that_are_not_ours(web: FlaskClient, host: str) -> None:
    assert web.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "haleganada.example"])
def test_names_that_are_ours(web: FlaskClient, host: str) -> None:
    assert web.get("/api/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/stats", "/static/draw_page.js", "/nowhere"])
def test_headers(web: FlaskClient, path: str) -> None:
    headers = web.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/models", "/read"])
def test_the_page_has_no_handlers_and_nothing_external(web: FlaskClient, path: str) -> None:
    page = re.sub(r"<style>.*?</style>|<script>.*?</script>", "", web.get(path).text, flags=re.DOTALL)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|style=|https?://", page)


def test_get_never_writes(web: FlaskClient) -> None:
    app: Flask = web.application
    web.post("/train", json=DRAWING)
    before = web.get("/stats").get_json()["revision"]
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and "<path" not in rule.rule:
            web.get(rule.rule.replace("<int:sample_id>", "1"))
    for path in ("/train", "/reset", "/save", "/page/undo", "/page/import"):
        assert web.get(path).status_code == 405
    assert web.get("/stats").get_json()["revision"] == before


def test_bodies_have_a_limit(web: FlaskClient) -> None:
    huge = b'{"image": "' + b"A" * (17 * 2**20) + b'", "char": "a"}'
    answer = web.post("/train", data=huge, content_type="application/json")
    assert answer.status_code == 413 and answer.get_json()["reason"] == "REQUEST_ENTITY_TOO_LARGE"
    assert "16 MiB" in answer.get_json()["error"] and "smaller picture" in answer.get_json()["error"]


def test_labels_come_back_as_data(web: FlaskClient) -> None:
    label = "<img src=x onerror=alert(1)>"
    web.post("/train", json={**DRAWING, "char": label})
    answer = web.get("/stats")
    assert answer.mimetype == "application/json" and label in answer.get_json()["character_counts"]


@pytest.mark.parametrize("line", [[], ["--allow-host", "my.box"], ["--insecure"]])
def test_the_page_is_not_opened_to_other_machines_unasked(line: list[str]) -> None:
    whole = [sys.executable, "-m", "haleganada_client.cli", "web", "--host", "0.0.0.0", "--port", "0", *line]
    ended = subprocess.run(whole, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2 and "other machines can reach 0.0.0.0: give --insecure" in ended.stderr
    assert "--allow-host" in ended.stderr


def test_an_opened_page_tells_an_address_that_answers() -> None:
    line = ["web", "--host", "0.0.0.0", "--port", "0", "--allow-host", "my.box", "--insecure"]
    process = subprocess.Popen(
        [sys.executable, "-m", "haleganada_client.cli", *line], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = re.search(r"page is at http://(\S+):(\d+) ", process.stdout.readline())
        assert address is not None and address[1] == "my.box"
        call = Request(f"http://127.0.0.1:{address[2]}/", headers={"Host": f"{address[1]}:{address[2]}"})
        with urlopen(call, timeout=10) as answer:
            assert answer.status == 200
    finally:
        with process:  # which waits for its end
            process.terminate()


def test_errors_tell_no_paths(web: FlaskClient) -> None:
    for answer in (web.get("/nowhere"), web.post("/predict", json={"image": "x"}), web.get("/page/samples/999.png")):
        assert answer.status_code >= 400
        assert "site-packages" not in answer.text and "Traceback" not in answer.text and answer.is_json
