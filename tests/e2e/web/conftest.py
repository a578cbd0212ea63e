"""The page in a browser, as most tests of it use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.conftest import RunningServer
from tests.e2e.web import browser
from tests.e2e.web.browser import Page


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    """One browser for all tests of a process, because its start takes seconds; see visit."""
    with browser.chromium() as driver:
        yield driver


@pytest.fixture(scope="session")
def web_address(server: RunningServer) -> Iterator[str]:
    """The page of the server that many tests share."""
    with browser.web(server.address) as address:
        yield address


@pytest.fixture(scope="module")
def opened(chromium: webdriver.Chrome, web_address: str) -> Iterator[Page]:
    """The page as nobody has visited it yet."""
    with browser.visit(chromium, web_address) as page:
        yield page


@pytest.fixture
def fresh(opened: Page) -> Page:
    """The page as on a first visit, with an empty workspace."""
    opened.complaints()
    opened.open_afresh()
    return opened
