"""The login page in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from haleganada_server.core.access.identity import Role
from selenium import webdriver

from tests.conftest import StartServer
from tests.e2e.web import browser
from tests.support.tokens import add_token
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(browser.missing()), reason=f"{browser.missing()} not installed"),
]


def test_a_token_is_typed_once(chromium: webdriver.Chrome, start_server: StartServer, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shown = add_token(data, "anna", Role.ADMIN)
    server = start_server(data_dir=data)
    with browser.web(server.address) as address, browser.visit(chromium, address) as page:
        chromium.get(f"{address}/read?from=here")
        wait_until(lambda: "/login?next=" in chromium.current_url)
        type_token(chromium, "hlg_wrong")
        wait_until(lambda: "not a token of this server" in chromium.page_source)
        type_token(chromium, shown)
        wait_until(lambda: chromium.current_url.startswith(f"{address}/read?from=here"))
        wait_until(lambda: chromium.find_elements("css selector", "#workspace option"))
        page.complaints()
        chromium.find_element("id", "log-out").click()
        wait_until(lambda: "/login" in chromium.current_url)
        chromium.get(address)
        wait_until(lambda: "/login?next=" in chromium.current_url)
        page.complaints()


def type_token(chromium: webdriver.Chrome, token: str) -> None:
    field = wait_until(lambda: chromium.find_elements("id", "token"))[0]
    wait_until(lambda: not field.get_attribute("value"))
    field.send_keys(token)
    field.submit()
