"""What other sites can try in a real browser, while its user is logged in; and names that are made to be scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from haleganada_client import HaleganadaClient
from haleganada_server.core.access.identity import Role
from selenium import webdriver
from selenium.common.exceptions import WebDriverException

from tests.conftest import RunningServer, StartServer
from tests.e2e.processes import zigzag
from tests.e2e.web import browser
from tests.e2e.web.browser import Page
from tests.support.slow import slow
from tests.support.tokens import add_token
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser.missing()), reason=f"{browser.missing()} not installed"),
]
EVIL = "<img src=x onerror=document.title='owned'>"
PICTURE = Path(__file__).parents[3] / "docs/screenshots/dark.png"


class Attacker(BaseHTTPRequestHandler):
    """A site that shows one page, and answers whatever is sent to it."""

    html = ""

    def do_GET(self) -> None:
        body = f"<!doctype html><title>attacker</title><body>{self.html}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def attacker() -> Iterator[int]:
    """The port of the attacker's site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Attacker) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield int(site.server_address[1])
        site.shutdown()


@pytest.fixture
def tokens(tmp_path: Path) -> dict[str, str]:
    return {role.word: add_token(tmp_path / "data", role.word, role) for role in Role}


@pytest.fixture
def server(start_server: StartServer, tokens: dict[str, str]) -> RunningServer:
    """A server with a token of each role, and one drawing."""
    running = start_server()
    with HaleganadaClient(running.address, token=tokens["admin"]) as boss:
        boss.train(zigzag(1), "ಅ")
    return running


@pytest.fixture
def page(server: RunningServer, chromium: webdriver.Chrome) -> Iterator[Page]:
    with browser.web(server.address) as address, browser.visit(chromium, address) as visited:
        yield visited
        visited.complaints()


def log_in(page: Page, token: str) -> None:
    page.driver.get(f"{page.address}/login")
    field = wait_until(lambda: page.all("#token"))[0]
    field.send_keys(token)
    field.submit()
    page.wait(lambda: page.find("#workspace").get_attribute("value") and page.all("#log-out"))


def visit_attacker(page: Page, host: str, port: int, html: str) -> None:
    """Show the attacker's page until its script has said that it is done."""
    Attacker.html = html
    page.driver.get(f"http://{host}:{port}/")
    wait_until(lambda: page.driver.title in ("attacker done", ""))


FORGERIES = """
<form id="plain" target="frame" method="post" enctype="text/plain"><input name='{"confirm": "default", "x": "'
 value='"}'></form><form id="parts" target="frame" method="post" enctype="multipart/form-data"><input name="confirm"
 value="default"></form><iframe name="frame"></iframe><script>
const page = "%s";
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const body = JSON.stringify({confirm: "default", name: "forged", expected_revision: 1});
async function attack() {
  for (const path of ["/reset", "/page/reset", "/page/undo", "/page/save", "/page/workspaces", "/page/logout"]) {
    for (const type of ["application/json", "text/plain"]) {
      for (const mode of ["cors", "no-cors"]) {
        await fetch(page + path, {method: "POST", mode, credentials: "include", headers: {"Content-Type": type}, body})
          .catch(() => {});
      }
    }
    navigator.sendBeacon(page + path, new Blob([body], {type: "text/plain"}));
    for (const id of ["plain", "parts"]) {
      const form = document.getElementById(id);
      const answered = new Promise((r) => { document.querySelector("iframe").onload = r; });
      form.action = page + path;
      form.submit();
      await Promise.race([answered, wait(1000)]);
    }
  }
  document.title = "attacker done";
}
attack();
</script>"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["another site", "another port"])
def test_no_other_site_can_write(
    page: Page, server: RunningServer, attacker: int, tokens: dict[str, str], host: str
) -> None:
    target = f"http://localhost:{urlsplit(page.address).port}"
    log_in(Page(page.driver, target), tokens["admin"])
    visit_attacker(page, host, attacker, FORGERIES % target)
    with HaleganadaClient(server.address, token=tokens["admin"]) as boss:
        assert boss.stats().revision == 1 and not boss.list_snapshots()
        assert [one.name for one in boss.list_workspaces()] == ["default"]
    page.driver.get(target)
    page.wait(lambda: page.all("#log-out"))  # nobody was logged out


READING = """<script>
const page = "%s";
async function attack() {
  let read = "";
  for (const path of ["/page/stats", "/stats", "/page/token", "/"]) {
    read += await fetch(page + path, {credentials: "include"}).then((answer) => answer.text()).catch(() => "");
  }
  document.body.dataset.read = read;
  document.title = "attacker done";
}
attack();
</script>"""


def test_no_other_site_can_read(page: Page, attacker: int, tokens: dict[str, str]) -> None:
    log_in(page, tokens["admin"])
    visit_attacker(page, "localhost", attacker, READING % page.address)
    assert page.run("return document.body.dataset.read") == ""


def test_a_name_of_another_site_that_leads_here_gets_no_answer(page: Page, tokens: dict[str, str]) -> None:
    log_in(page, tokens["admin"])
    rebound = f"http://rebound.attacker.example:{urlsplit(page.address).port}"
    for path in ("/", "/page/stats", "/login", "/openapi.json"):
        page.driver.get(rebound + path)
        assert "HOST_UNKNOWN" in page.text("body") and "samples" not in page.text("body"), path
    status = page.driver.execute_async_script(
        """const done = arguments[0];
        const headers = {"Content-Type": "application/json"};
        fetch("/page/reset", {method: "POST", headers, body: '{"confirm": "default"}'}).then((a) => done(a.status));"""
    )
    assert status == 421


def test_no_other_site_can_frame_the_page(page: Page, attacker: int, tokens: dict[str, str]) -> None:
    log_in(page, tokens["admin"])
    done = """<script>onload = () => { document.title = "attacker done"; }</script>"""
    for path in ("/", "/models", "/read", "/login"):
        visit_attacker(page, "localhost", attacker, f'<iframe src="{page.address}{path}"></iframe>{done}')
        page.driver.switch_to.frame(0)
        with suppress(WebDriverException):
            assert not page.all("header, #board, #token, #workspace"), path
        page.driver.switch_to.default_content()


@pytest.fixture
def evil_names(server: RunningServer, tokens: dict[str, str], tmp_path: Path) -> None:
    """Labels, workspaces, documents, snapshots that are named by scripts."""
    with HaleganadaClient(server.address, token=tokens["admin"]) as boss:
        boss.create_workspace(EVIL)
        for hand in range(3):
            boss.train(zigzag(2, hand), EVIL)
        boss.link_variants("ಅ", EVIL)
        boss.save(EVIL)
        document = tmp_path / f"{EVIL}.txt"
        document.write_text(f"TINY\n{EVIL}")
        boss.read(document, keep=True)


@pytest.mark.usefixtures("evil_names")
@pytest.mark.parametrize("role", ["read", *slow("teach"), *slow("train"), "admin"])
def test_names_are_never_scripts(page: Page, tokens: dict[str, str], role: str) -> None:
    log_in(page, tokens[role])

    def require_harmless() -> None:
        assert page.driver.title.endswith("Haleganada") and not page.all("img[src='x'], [onerror]")

    page.wait(lambda: EVIL in page.text("#gallery") and page.all(f'#workspace option[value="{EVIL}"]'))
    require_harmless()
    for tab in ("#tab-progress", "#tab-keep"):
        page.press(tab)
        page.wait(lambda: page.all("[role=tabpanel]:not([hidden]) h3"))
        require_harmless()
    page.draw(browser.CROSS)
    page.kind()
    require_harmless()
    for place in ("models", "read"):
        page.driver.get(f"{page.address}/{place}")
        page.wait(lambda: page.all(f'#workspace option[value="{EVIL}"]') and page.text("#view"))
        require_harmless()


def test_file_names_are_never_scripts(page: Page, tokens: dict[str, str], tmp_path: Path) -> None:
    log_in(page, tokens["teach"])
    files = [tmp_path / f"{EVIL}{number}.png" for number in range(2)]
    for file in files:
        file.write_bytes(PICTURE.read_bytes())
    page.find("#file").send_keys("\n".join(map(str, files)))
    page.wait(lambda: EVIL in page.text("#filmstrip"))
    assert page.driver.title == "Haleganada" and not page.all("img[src='x'], [onerror]")
    bad = tmp_path / f"{EVIL}.txt"
    bad.write_text("no picture")
    page.find("#file").send_keys(str(bad))
    page.wait(lambda: EVIL in page.text("#status"))
    assert page.driver.title == "Haleganada" and not page.all("img[src='x'], [onerror]")
