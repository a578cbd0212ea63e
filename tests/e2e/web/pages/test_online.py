"""Online learning on the pages: chosen, followed, used on the slate, given up. What learns is a process
without torch, for which the learning rate is the seconds that a drawing takes (tests/support/learning/stand_in.py).
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient, OnlineSettings
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.conftest import RunningServer
from tests.e2e.processes import zigzag
from tests.e2e.web.browser import Page, missing, visit, web
from tests.support.learning.servers import learning_server

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
LINE = [[(0.2, 0.2), (0.5, 0.5), (0.8, 0.8)]]
SLOW = OnlineSettings(learning_rate=1.0)
LOOKS = "return performance.getEntriesByType('resource').filter((one) => one.name.includes('models/active')).length"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with learning_server(tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture(scope="module")
def opened(running: RunningServer, chromium: webdriver.Chrome) -> Iterator[Page]:
    with web(running.address) as address, visit(chromium, f"{address}/models") as page:
        yield page


@pytest.fixture
def page(opened: Page) -> Page:
    """The page of models, in a workspace that knows nothing yet."""
    opened.complaints()
    opened.open_afresh()
    return opened


@pytest.fixture
def client(running: RunningServer, page: Page) -> Iterator[HaleganadaClient]:
    """In the page's workspace, where three drawings have been taught."""
    workspace = page.run("return localStorage.workspace")
    with HaleganadaClient(running.address, workspace=workspace, timeout_s=30) as client:
        for character in range(3):
            client.train(zigzag(character), f"z{character}")
        yield client
        client.models.activate("few-shot")


def test_a_network_is_chosen_with_the_keys_and_learns_what_was_taught(page: Page, client: HaleganadaClient) -> None:
    page.go("models")
    page.wait(lambda: page.all(".learn-online"))
    page.find(".learn-online summary").send_keys(Keys.ENTER)
    page.wait(lambda: page.find("#learn-from").is_displayed())
    assert page.text("#learn-from").split("\n") == ["a new cnn36", "a new resnet50-transformer", "starter"]
    page.find("#learn-from").send_keys("starter", Keys.TAB, "16", Keys.ENTER)
    page.wait_for("#status", "A network now learns online in")
    assert page.text("#status").endswith(": starter.")
    page.wait_for(".answering", "starter, learning online")
    page.wait_for(".learning", "It has learned everything you taught.")
    assert "3 learned, 0 left" in page.text(".learning") and not page.find(".learning progress").is_displayed()
    online = client.get_workspace().online
    assert online is not None and (online.start, online.settings.replay) == ("starter", 16)
    page.press("#use-few-shot")
    page.wait_for("#status", "now uses: What you taught")
    page.wait(lambda: not page.all(".learning"))
    assert client.get_workspace().online is None and not page.complaints()


def test_where_nothing_was_taught_it_says_that_it_learns_what_will_be(page: Page, running: RunningServer) -> None:
    workspace = page.run("return localStorage.workspace")
    with HaleganadaClient(running.address, workspace=workspace, timeout_s=30) as client:
        client.models.activate("starter", online=True)
        page.go("models")
        page.wait_for(".learning [role=status]", "It learns each drawing that you teach.")
        assert "0 learned, 0 left" in page.text(".learning") and not page.complaints()
        client.models.activate("few-shot")


def test_how_far_it_is_moves_on_and_then_nobody_asks_any_more(page: Page, client: HaleganadaClient) -> None:
    client.models.activate("cnn36", online=SLOW)
    page.go("models", width=390, height=844, mobile=True)
    page.wait(lambda: re.search(r"[12] learned, [12] left", page.text(".learning")))
    assert page.find(".learning progress").get_attribute("max") == "3" and page.is_narrow_enough()
    page.press(".learn-online summary")
    assert page.nameless() == [] and page.is_narrow_enough()
    page.wait_for(".learning [role=status]", "It has learned everything you taught.")
    assert "3 learned, 0 left" in page.text(".learning")
    looks = page.run(LOOKS)
    time.sleep(2.5)
    assert page.run(LOOKS) == looks and not page.complaints()


def test_the_slate_says_what_answers_while_it_learns(page: Page, client: HaleganadaClient) -> None:
    client.models.activate("cnn36", online=SLOW)
    page.press("#to-slate")
    page.wait_for("#answers-from", "A network is learning online (cnn36).")
    page.wait(lambda: re.search("Learning: [123] left.", page.text("#answers-from")))
    page.wait_for("#answers-from", "It has learned everything you taught.")
    page.wait_for("#decision", "Draw something, and I'll tell you what it is")
    page.draw(LINE)
    page.teach("l")
    page.wait_for("#learns-how", "while it learns new drawings")
    page.wait_for("#learns-how", "It has learned everything you taught.")
    page.draw(LINE)
    assert page.kind() == "recognized" and page.forms()[0] == "l"
    assert float(page.text("#candidates .none .percent").split()[0].strip("<")) < 5
    page.choose_language("kn")
    page.wait_for("#answers-from", "ಜಾಲವೊಂದು ಆನ್‌ಲೈನ್ ಆಗಿ ಕಲಿಯುತ್ತಿದೆ (cnn36).")
    page.choose_language("en")
    page.press("#back-to-few-shot")
    page.wait_for("#status", "What you taught answers here again")
    assert not page.find("#answers-from").is_displayed() and client.get_workspace().model == "few-shot"
    page.press("#clear")
    page.wait_for("#decision", "Draw something, and I'll tell you what it is")
    assert not page.complaints()


def test_a_network_whose_process_ends_says_so_and_recovers(
    page: Page, client: HaleganadaClient, running: RunningServer
) -> None:
    client.models.activate("cnn36", online=True)
    (folder,) = (running.app.config.data_dir / "online").iterdir()
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    page.go("models")
    page.wait_for(".learning .problem", "will be restarted")
    assert "what you taught answers" in page.text(".learning [role=status]")
    page.wait_for(".learning [role=status]", "It has learned everything you taught.")
    assert not page.all(".learning .problem") and not page.complaints()


def test_what_cannot_start_says_why(page: Page, tmp_path: Path) -> None:
    weights = tmp_path / "none.safetensors"
    weights.touch()
    with learning_server(tmp_path / "data", backbone_weights=(weights,)) as refusing, web(refusing.address) as address:
        page.driver.get(f"{address}/models")
        page.press(".learn-online summary")
        page.press("#learn-online")
        page.wait_for(".learn-online .problem", "there are no such weights")
        assert page.find("#learn-online").is_enabled() and "few-shot" in page.text(".answering")
