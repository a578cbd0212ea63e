"""A headless Chromium in front of a real page and a real server."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.support.preloaded import PreloadedProcess
from tests.support.waiting import wait_until

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-extensions --hide-scrollbars --touch-events=enabled --lang=en "
    "--force-prefers-reduced-motion"  # no animations
)
REBOUND = "--host-resolver-rules=MAP *.attacker.example 127.0.0.1"  # names of another site that lead to this machine
Strokes = list[list[tuple[float, float]]]
CROSS: Strokes = [[(0.2, 0.2), (0.5, 0.5), (0.8, 0.8)], [(0.8, 0.2), (0.5, 0.5), (0.2, 0.8)]]
BAR: Strokes = [[(0.5, 0.15), (0.5, 0.5), (0.5, 0.85)]]
PATIENCE_S = 60
_LOOK_S = 0.02  # between two looks at the page, each of which takes the processor 10 ms


def missing() -> str:
    """What is not installed, "" if nothing."""
    return " and ".join(name for name in ("chromium", "chromedriver") if shutil.which(name) is None)


class Page:
    """The page in a browser, used as a person would. Strokes: points on the slate, 0..1 of its side, y down."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver, self.address = driver, address

    # Where it is

    def open(self, width: int = 1280, height: int = 1000, *, ratio: float = 1, mobile: bool = False) -> None:
        """Load the page in a window; see resize."""
        self.resize(width, height, ratio=ratio, mobile=mobile)
        self.load(self.address)
        self.wait(lambda: self.find("#workspace").get_attribute("value"))

    def resize(self, width: int, height: int, *, ratio: float = 1, mobile: bool = False) -> None:
        """Make the window as large as width x height CSS px, at `ratio` device px for each."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": mobile}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def go(self, place: str, **window: Any) -> None:
        """Open the page at a fragment of its address, as a bookmark does. window: as in open."""
        root = self.address
        self.address = f"{root}#{place}"
        self.open(**window)
        self.address = root

    def load(self, address: str) -> None:
        """Load an address anew, also one that differs from the present one after its # only."""
        here = self.driver.current_url
        if "#" in here + address and urldefrag(here).url == urldefrag(address).url:
            self.run("history.replaceState(null, '', arguments[0])", address)  # for which the page does nothing
            self.driver.refresh()
        else:
            self.driver.get(address)

    def open_afresh(self, **window: Any) -> None:
        """Load the page as on a first visit, with an empty workspace."""
        if not self.driver.current_url.startswith(urljoin(self.address, "/")):
            # A small file of the same origin, for which the browser starts no other process.
            self.driver.get(urljoin(self.address, "/static/images/icon.svg"))
        self.driver.execute_script(_FRESH)
        self.open(**window)

    def choose_language(self, code: str) -> None:
        """Choose the language of the page: en, kn."""
        self.press(f"#language option[value={code}]")
        self.wait(lambda: self.run("return document.documentElement.lang") == code)

    def prefer(self, scheme: str) -> None:
        """Emulate the system's color scheme: light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def picture(self, path: Path, part: str = "") -> None:
        """Save what the browser shows, or the whole of one element, given by its selector, with a margin."""
        options: dict[str, Any] = {"format": "png", "captureBeyondViewport": bool(part)}
        if part:
            options["clip"] = self.run(_CLIP, self.find(part))
        path.write_bytes(base64.b64decode(self.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"]))

    # Looking

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Wait until a condition holds. Elements that it names may be missing, also between finding and reading one,
        because a list that is shown anew takes its old elements away.
        """

        def holds() -> bool:
            with suppress(NoSuchElementException, StaleElementReferenceException):
                return bool(condition())
            return False

        wait_until(holds, patience_s, first_s=_LOOK_S)

    def wait_for(self, selector: str, part: str) -> None:
        """Wait until the text of an element contains a part."""
        self.wait(lambda: part in self.text(selector))

    def is_narrow_enough(self) -> bool:
        """Return whether nothing needs to be scrolled sideways."""
        return bool(self.run("return document.documentElement.scrollWidth === innerWidth"))

    def nameless(self) -> list[str]:
        """Return controls and pictures without an accessible name."""
        return list(self.run(_NAMELESS))

    def kind(self) -> str:
        """Wait for the verdict on the present drawing and return its kind: recognized, unsure, unknown, …"""
        self.wait(lambda: self.find("#verdict").get_attribute("data-kind") != "idle")
        return self.find("#verdict").get_attribute("data-kind") or ""

    def forms(self) -> list[str]:
        """Wait for the verdict, unfold unlikely candidates and return the labels of all."""
        self.kind()
        if self.all("#candidates .fold button"):
            self.press("#candidates .fold button")
        return list(
            self.run("return [...document.querySelectorAll('#candidates button .form')].map((x) => x.innerText)")
        )

    def complaints(self) -> list[str]:
        """Return errors in the browser's console, except refusals that the page handles itself."""
        logged: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        severe = [entry["message"] for entry in logged if entry["level"] == "SEVERE"]
        return [message for message in severe if "status of" not in message]

    # Doing

    def draw(self, strokes: Strokes) -> None:
        """Tell the slate of all that a mouse does, at once: of a real one, each point takes the browser a frame."""
        self.run(_DRAW, self._to_window(strokes))

    def draw_by_mouse(self, strokes: Strokes) -> None:
        """Draw with the browser's mouse."""
        for stroke in self._to_window(strokes):
            self.mouse("mousePressed", stroke[0])
            for place in stroke[1:]:
                self.mouse("mouseMoved", place)
            self.mouse("mouseReleased", stroke[-1])

    def touch(self, strokes: Strokes) -> None:
        """Draw with a finger."""
        for stroke in self._to_window(strokes):
            self.finger("touchStart", [stroke[0]])
            for place in stroke[1:]:
                self.finger("touchMove", [place])
            self.finger("touchEnd", [])

    def press(self, selector: str) -> None:
        """Click what a selector finds, once it is there to be clicked."""
        self.wait(lambda: self._try_press(selector))

    def _try_press(self, selector: str) -> bool:
        """Click it if it is shown. A list that is redrawn at the same moment removes its old elements."""
        try:
            shown = next((one for one in self.all(selector) if one.is_displayed()), None)
            if shown is not None:
                shown.click()
        except (StaleElementReferenceException, ElementClickInterceptedException):
            return False
        return shown is not None

    def teach(self, label: str) -> None:
        """Type a label and press Teach; returns when it was learned."""
        self.run("document.getElementById('label').value = ''")  # the last label is still there
        self.find("#label").send_keys(label)
        self.find("#teach-button").click()
        self.wait_for("#status", f"Learned {label}")

    def _to_window(self, strokes: Strokes) -> list[list[dict[str, float]]]:
        """Return the points in window coordinates, with the slate scrolled into view."""
        box = self.run(_BOX)
        return [[{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["width"]} for x, y in s] for s in strokes]

    def mouse(self, kind: str, place: dict[str, float]) -> None:
        event = {"type": kind, "button": "left", "buttons": 1, "clickCount": 1, **place}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def finger(self, kind: str, places: list[dict[str, float]]) -> None:
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


_BOX = """
const board = document.getElementById("board");
const {top, bottom} = board.getBoundingClientRect();
if (top < 0 || bottom > innerHeight) board.scrollIntoView({block: "center", behavior: "instant"});
return board.getBoundingClientRect().toJSON();
"""
_DRAW = """
const board = document.getElementById("board");
const mouse = {pointerId: 1, pointerType: "mouse", isPrimary: true, bubbles: true, cancelable: true};
const tell = (kind, {x, y}, button, buttons) =>
  board.dispatchEvent(new PointerEvent(kind, {...mouse, clientX: x, clientY: y, button, buttons}));
for (const stroke of arguments[0]) {
  tell("pointerdown", stroke[0], 0, 1);
  for (const place of stroke.slice(1)) tell("pointermove", place, -1, 1);
  tell("pointerup", stroke.at(-1), 0, 0);
}
"""
_CLIP = """
const box = arguments[0].getBoundingClientRect(), margin = 14;
return {x: box.x + scrollX - margin, y: box.y + scrollY - margin, scale: 1,
        width: box.width + 2 * margin, height: box.height + 2 * margin};
"""
_NAMELESS = """
return [...document.querySelectorAll("button, a, input, select, summary, progress, [role=img], [role=application]")]
  .filter((one) => one.offsetParent && !(one.ariaLabel || one.textContent.trim() || one.labels?.length))
  .map((one) => one.outerHTML);
"""
_FRESH = """
const name = "w" + Math.random();
localStorage.clear();
return fetch("/")
  .then((answer) => answer.text())
  .then((page) => {
    const token = /<meta name="csrf" content="([^"]*)"/.exec(page)[1];
    const headers = {"Content-Type": "application/json", "X-CSRF-Token": token};
    return fetch("/page/workspaces", {method: "POST", headers, body: JSON.stringify({name})});
  })
  .then(() => localStorage.setItem("workspace", name));
"""


@contextmanager
def web(server_address: str, *options: str, port: str = "0") -> Iterator[str]:
    """The page's server as a process; its address. options: of the command."""
    line = ["-m", "haleganada_client.cli", "--server", server_address, "web", "--port", port, *options]
    process = PreloadedProcess(line)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        with process:  # which waits for its end
            process.terminate()


@contextmanager
def browser(address: str, **preferences: Any) -> Iterator[Page]:
    """A browser of its own for the page at an address. preferences: as for chromium."""
    with chromium(**preferences) as driver:
        yield Page(driver, address)


@contextmanager
def chromium(**preferences: Any) -> Iterator[webdriver.Chrome]:
    """A browser. preferences: Chromium's own, by name, dots as double underscores."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS.split(), REBOUND):
        options.add_argument(flag)
    given = {name.replace("__", "."): value for name, value in preferences.items()}
    options.add_experimental_option("prefs", given)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver") or ""))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def visit(driver: webdriver.Chrome, address: str) -> Iterator[Page]:
    """The page at an address in a tab of its own, which ends with what was emulated in it; no cookie is there yet."""
    first = driver.current_window_handle
    driver.switch_to.new_window("tab")
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    page = Page(driver, address)
    page.complaints()  # of earlier tabs
    try:
        yield page
    finally:
        driver.close()
        driver.switch_to.window(first)
