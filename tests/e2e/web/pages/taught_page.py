"""A page in a script that people have taught, as it is used in a browser."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from uuid import uuid4

from haleganada_client import HaleganadaClient
from haleganada_client.reading.types import PageReading
from selenium.webdriver.common.action_chains import ActionChains

from tests.conftest import RunningServer
from tests.contract.reading.taught_loop import TEXT, teach, write
from tests.e2e.web.browser import Page

Point = tuple[float, float]


@dataclass(frozen=True)
class TaughtPage:
    """One page of a reading that is kept. letters: what is written on it, in order."""

    page: Page
    client: HaleganadaClient
    reading_id: str
    workspace: str
    letters: str

    @classmethod
    def read(
        cls, page: Page, server: RunningServer, client: HaleganadaClient, taught: str = "", text: tuple[str, ...] = TEXT
    ) -> TaughtPage:
        """Read a page by a new workspace that was taught some letters. text: its lines."""
        workspace = f"taught {uuid4()}"
        client.create_workspace(workspace)
        teach(server, workspace, taught)
        done = client.read(write(text).to_png(), mode="taught", workspace=workspace, keep=True)
        assert done.reading is not None
        return cls(page, client, done.reading.reading_id, workspace, "".join(text).replace(" ", ""))

    def close(self) -> None:
        """Delete it: other tests of the same server begin with an empty list."""
        self.client.readings.delete(self.reading_id)

    # Looking

    def open(self, width: int = 1280, height: int = 900, *, mobile: bool = False) -> None:
        """Show it."""
        self.page.go(f"reading/{self.reading_id}", width=width, height=height, mobile=mobile)
        self.page.wait(lambda: self.page.run(_IS_DRAWN))

    def get(self) -> PageReading:
        """Return the page as it reads now."""
        return self.client.readings.page(self.reading_id)

    def texts(self) -> list[str]:
        """Return the text of each glyph, as the page shows it."""
        return list(
            self.page.run("return [...document.querySelectorAll('#text .glyph')].map((one) => one.textContent)")
        )

    def states(self) -> list[str]:
        """Return the state of each glyph, as the page shows it."""
        return list(self.page.run(_STATES))

    def current(self) -> int:
        """Return the index of the current glyph."""
        return int(self.page.text("#glyph-title").split()[1]) - 1

    def wait_for_revision(self, revision: int) -> None:
        """Wait until the page has been corrected so often, and shows what it reads now."""
        self.page.wait(lambda: self.get().revision == revision and self.is_idle())

    def is_idle(self) -> bool:
        """Return whether the page shows what the server has read last."""
        return "".join(self.texts()).replace("▢", "\ufffd") == "".join(self.get().text.split())

    # Doing

    def settle_last(self, text: str) -> None:
        """Say what the last glyph is, as somebody else would, and let the page look."""
        last = [glyph.glyph_id for word in self.get().words for glyph in word.glyphs][-1]
        assert last is not None
        self.client.readings.name(self.reading_id, [last], text)
        self.page.run("window.dispatchEvent(new Event('focus'))")

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.page.driver).send_keys(*keys).perform()

    def find_box(self, index: int) -> tuple[Point, Point]:
        """Return where a glyph is in the window: its upper left and its lower right corner."""
        glyph = [glyph for word in self.get().words for glyph in word.glyphs][index]
        corners = self.page.run(_TO_WINDOW, [glyph.box[:2], glyph.box[2:]])
        return tuple(corners[0]), tuple(corners[1])

    def find_middle(self, index: int) -> Point:
        """Return where the middle of a glyph is in the window."""
        (left, top), (right, bottom) = self.find_box(index)
        return (left + right) / 2, (top + bottom) / 2

    def drag(self, *places: Point) -> None:
        """Drag the mouse; a single place is a click."""
        to_event = [{"x": x, "y": y} for x, y in places]
        self.page.mouse("mousePressed", to_event[0])
        for before, after in itertools.pairwise(to_event):
            between = {axis: (before[axis] + after[axis]) / 2 for axis in "xy"}
            for place in (between, after):
                self.page.mouse("mouseMoved", place)
        self.page.mouse("mouseReleased", to_event[-1])

    def tap(self, place: Point) -> None:
        """Touch with a finger."""
        self.page.finger("touchStart", [{"x": place[0], "y": place[1]}])
        self.page.finger("touchEnd", [])


_IS_DRAWN = "return Boolean(document.querySelector('#scan img')?.naturalWidth)"
_STATES = """
const states = ["settled", "sure", "unsure", "unknown"];
const find = (one) => states.find((state) => one.classList.contains(state));
return [...document.querySelectorAll("#text .glyph")].map(find);
"""
_TO_WINDOW = """
const overlay = document.querySelector("#scan svg");
const {left, top, width} = overlay.getBoundingClientRect();
const scale = width / overlay.viewBox.baseVal.width;
return arguments[0].map(([x, y]) => [left + x * scale, top + y * scale]);
"""
