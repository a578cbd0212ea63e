"""What is taught on the page while its server is away waits in the browser, and is taught once, in order."""

from __future__ import annotations

import pytest
from haleganada_client import HaleganadaClient
from selenium import webdriver

from tests.conftest import RunningServer, StartServer
from tests.e2e.handwriting import write_letter
from tests.e2e.web.browser import Page, missing, visit, web
from tests.support.network.swallower import line_to
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]


def teach(page: Page, label: str, status: str) -> None:
    page.run("document.getElementById('label').value = ''")
    page.draw(write_letter("ಅ", ord(label)))
    page.find("#label").send_keys(label)
    page.press("#teach-button")
    page.wait_for("#status", status)


def labels_of(server: RunningServer) -> list[str]:
    with HaleganadaClient(server.address) as client:
        return [sample.label for sample in client.iter_samples()][::-1]


def test_drawings_wait_for_a_server_that_is_away(chromium: webdriver.Chrome, start_server: StartServer) -> None:
    server = start_server()
    with web(server.address) as address, visit(chromium, address) as page:
        page.open()
        teach(page, "z", "Learned z")
        server.stop()
        teach(page, "a", "a is kept in this browser")
        page.wait(lambda: page.find("#lost").is_displayed())
        assert page.run("return document.getElementById('clear').disabled"), "the slate is free for the next one"
        teach(page, "b", "b is kept")
        teach(page, "c", "c is kept")
        page.wait_for("#waiting", "Waiting to be sent (3): a b c")
        page.press("#take-back")
        page.wait_for("#waiting", "(2): a b")
        assert page.find("#clear").is_enabled(), "the drawing is back on the slate"
        page.driver.refresh()  # the page comes from a process that is there
        page.wait_for("#waiting", "(2): a b")
        back = start_server(port=int(server.address.rpartition(":")[2]))
        page.wait(lambda: not page.find("#waiting").is_displayed() and not page.find("#lost").is_displayed())
        wait_until(lambda: labels_of(back) == ["z", "a", "b"])
        teach(page, "d", "Learned d")
        assert labels_of(back) == ["z", "a", "b", "d"]
        page.complaints()


def test_drawings_wait_for_a_page_that_is_away_and_outlive_a_reload(
    chromium: webdriver.Chrome, start_server: StartServer
) -> None:
    own = start_server()
    with web(own.address) as address, visit(chromium, address) as page:
        page.open()
    port = address.rpartition(":")[2]
    with visit(chromium, address) as page:
        with web(own.address, port=port):
            page.open()
        teach(page, "a", "a is kept")
        teach(page, "b", "b is kept")
        with web(own.address, port=port):
            page.open()
            wait_until(lambda: labels_of(own) == ["a", "b"])
            page.wait(lambda: not page.find("#waiting").is_displayed())
        page.complaints()


def test_an_answer_that_is_lost_teaches_nothing_twice(chromium: webdriver.Chrome, start_server: StartServer) -> None:
    server = start_server()
    with line_to(server.address) as line:
        line.marker = "ಅ".encode()
        with web(line.address, "--timeout", "2") as address, visit(chromium, address) as page:
            page.open()
            line.is_mute = True
            teach(page, "ಅ", "ಅ is kept")
            wait_until(lambda: labels_of(server) == ["ಅ"])
            line.is_mute = False
            line.hang_up()
            page.wait(lambda: not page.find("#waiting").is_displayed())
            teach(page, "b", "Learned b")
            page.complaints()
    assert labels_of(server) == ["ಅ", "b"]


def test_what_the_server_refuses_later_is_told_and_can_be_discarded(
    chromium: webdriver.Chrome, start_server: StartServer
) -> None:
    server = start_server()
    server.app.workspaces.create("w")
    with web(server.address) as address, visit(chromium, address) as page:
        page.open()
        page.press("#workspace option[value=w]")
        page.wait(lambda: page.find("#workspace").get_attribute("value") == "w")
        server.stop()
        teach(page, "a", "a is kept")
        page.run("localStorage.setItem('workspace', 'default')")
        back = start_server(port=int(server.address.rpartition(":")[2]))
        with HaleganadaClient(back.address) as client:
            client.delete_workspace("w", "w")
        page.open()
        page.wait_for("#waiting", "refused a")
        teach(page, "b", "Learned b")
        page.press("#waiting button")
        page.wait(lambda: not page.find("#waiting").is_displayed())
        page.complaints()
    assert labels_of(back) == ["b"]
