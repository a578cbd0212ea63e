"""A headless Chromium in front of a real page and a real server."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.processes import server

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars"
)
Strokes = list[list[tuple[float, float]]]
PATIENCE_S = 15


def missing() -> str:
    """What is not installed, "" if nothing."""
    return " and ".join(name for name in ("chromium", "chromedriver") if shutil.which(name) is None)


class Page:
    """The page in a browser, used as a person would."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver, self.address = driver, address

    def open(self, width: int = 1180, height: int = 1000) -> None:
        self.driver.set_window_size(width, height)
        self.driver.get(self.address)
        self.wait(lambda: self.find("#workspace").get_attribute("value"))

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, condition: object) -> None:
        WebDriverWait(self.driver, PATIENCE_S, 0.05).until(lambda _: condition())  # type: ignore[operator]

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def draw(self, strokes: Strokes) -> None:
        """With the mouse; points in -1..1 of the board, y downwards."""
        board = self.find("#board")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", board)
        half = board.size["width"] / 2 - 12
        for stroke in strokes:
            points = [(round(x * half), round(y * half)) for x, y in stroke]
            actions = ActionChains(self.driver, duration=4)
            actions.move_to_element_with_offset(board, *points[0]).click_and_hold()
            for x, y in points[1:]:
                actions.move_to_element_with_offset(board, x, y)
            actions.release().perform()

    def touch(self, strokes: Strokes) -> None:
        """With a finger."""
        box = self.driver.execute_script("return document.getElementById('board').getBoundingClientRect().toJSON()")
        half = box["width"] / 2
        for stroke in strokes:
            places = [{"x": box["x"] + half * (1 + x), "y": box["y"] + half * (1 + y)} for x, y in stroke]
            self._touch("touchStart", [places[0]])
            for place in places[1:]:
                self._touch("touchMove", [place])
            self._touch("touchEnd", [])

    def _touch(self, kind: str, places: list[dict[str, float]]) -> None:
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    def teach(self, label: str) -> None:
        self.find("#label").send_keys(label)
        self.find("#teach button.primary").click()
        self.wait(lambda: label in self.text("#status"))

    def best(self) -> str:
        """The first candidate, once there is an answer."""
        self.wait(lambda: self.text("#decision"))
        found = self.all("#candidates .form")
        return found[0].text if found else ""

    def complaints(self) -> list[str]:
        """Errors in the browser's console, but for answers that the page handles itself."""
        logged = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [
            entry["message"] for entry in logged if entry["level"] == "SEVERE" and "status of" not in entry["message"]
        ]


@contextmanager
def page(*flags: str) -> Iterator[Page]:
    """A page, its server and a browser, on an empty data directory."""
    with ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory())
        running = stack.enter_context(server(Path(data)))
        line = [sys.executable, "-m", "haleganada_client.cli", "--server", running.address, "web", "--port", "0"]
        web = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        stack.callback(web.wait)
        stack.callback(web.terminate)
        assert web.stdout is not None
        found = re.search(r"http://\S+", web.stdout.readline())
        assert found is not None
        driver = _browser(flags)
        stack.callback(driver.quit)
        yield Page(driver, found[0])


def _browser(flags: tuple[str, ...]) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS.split(), *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver") or ""))
