"""The page on a phone: the slate, the answer and the box for a label share the screen, with and without a keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.e2e.handwriting import write_letter
from tests.e2e.web.browser import BAR, CROSS, Page, missing, visit
from tests.support.slow import slow_rows

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
PHONES = [(320, 568), (360, 640), (390, 844)]
KEYBOARD_PX = 260


@pytest.fixture(scope="module")
def opened(chromium: webdriver.Chrome, web_address: str) -> Iterator[Page]:
    with visit(chromium, web_address) as page:
        chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        yield page


@pytest.fixture
def fresh(opened: Page) -> Page:
    """The page on a phone, as on a first visit, with an empty workspace."""
    opened.complaints()
    opened.open_afresh(width=360, height=640, mobile=True)
    return opened


def place(fresh: Page, selector: str) -> dict[str, Any]:
    """Where an element is in the window, in CSS px."""
    return dict(fresh.run("return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector))


def is_on_screen(fresh: Page, *selectors: str) -> bool:
    """Return whether elements are in the window from their upper to their lower edge."""
    height = fresh.run("return innerHeight")
    places = [place(fresh, selector) for selector in selectors]
    return all(at["height"] and at["top"] >= -1 and at["bottom"] <= height + 1 for at in places)


def how_wide(fresh: Page) -> int:
    """How wide the page is. A phone would make its window as wide, and show everything smaller."""
    return int(fresh.run("return document.documentElement.scrollWidth"))


def teach_by_finger(fresh: Page, label: str, strokes: Any) -> None:
    fresh.touch(strokes)
    fresh.teach(label)


def test_slate_answer_and_labels_share_the_screen(fresh: Page) -> None:
    for label, strokes in (("ಅ", write_letter("ಅ", 1)), ("x", CROSS)):
        teach_by_finger(fresh, label, strokes)
    for width, height in PHONES:
        fresh.open(width, height, mobile=True)
        fresh.wait(lambda: fresh.all("#recent button"))
        assert fresh.run("return scrollY") == 0 and is_on_screen(fresh, "#slate", "#verdict", "#recent", "#label")
        fresh.touch(CROSS)
        fresh.wait(lambda: fresh.kind() == "recognized")
        assert fresh.run("return scrollY") == 0
        assert is_on_screen(fresh, "#slate", ".tools", "#verdict", "#candidates", "#label", "#teach-button")
        assert place(fresh, "#slate")["width"] >= 0.65 * width and how_wide(fresh) == width
        fresh.press("#clear")  # or it is there again after the reload


def test_the_box_stands_above_the_keyboard_and_the_slate_above_the_box(fresh: Page) -> None:
    fresh.touch(CROSS)
    fresh.kind()
    before = place(fresh, "#slate")["width"]
    fresh.press("#label")
    fresh.resize(360, 640 - KEYBOARD_PX, mobile=True)
    fresh.wait(lambda: is_on_screen(fresh, "#label", "#teach-button"))
    slate, box = place(fresh, "#slate"), place(fresh, "#label")
    assert slate["width"] == before  # a drawing does not shrink under the hand
    assert slate["top"] >= -1 and slate["bottom"] <= box["top"] + 20
    fresh.driver.switch_to.active_element.send_keys("x", Keys.ENTER)
    fresh.wait_for("#status", "Learned x")
    assert fresh.run("return document.activeElement.id") != "label"  # the keyboard goes
    fresh.resize(360, 640, mobile=True)
    fresh.wait(lambda: is_on_screen(fresh, "#slate", "#verdict", "#label"))


def test_the_slate_is_in_view_after_teaching_and_the_toast_covers_no_answer(fresh: Page) -> None:
    teach_by_finger(fresh, "x", CROSS)
    fresh.touch(CROSS)
    fresh.kind()
    fresh.run("scrollTo(0, 10000)")
    fresh.press("#candidates button")
    fresh.wait_for("#status", "Learned x")
    fresh.wait(lambda: is_on_screen(fresh, "#slate", "#verdict", "#label"))
    fresh.touch(CROSS)
    fresh.kind()
    toast = place(fresh, "#toast")
    for selector in ("#slate", "#verdict", "#candidates", "#label"):
        other = place(fresh, selector)
        assert toast["bottom"] <= other["top"] + 1 or toast["top"] >= other["bottom"], selector


@pytest.mark.parametrize("hand", ["finger", "mouse"])
def test_the_first_stroke_shows_no_keyboard_pen_and_no_ring(fresh: Page, hand: str) -> None:
    (fresh.touch if hand == "finger" else fresh.draw_by_mouse)(BAR)
    assert not fresh.find("#cursor").is_displayed()
    assert fresh.run("return getComputedStyle(document.getElementById('board')).outlineStyle") == "none"
    fresh.find("#board").send_keys(Keys.ARROW_UP)  # but keys do
    assert fresh.find("#cursor").is_displayed()
    assert fresh.run("return getComputedStyle(document.getElementById('board')).outlineStyle") == "solid"


@pytest.mark.parametrize(
    ("width", "language"),
    [
        (320, "kn"),
        *slow_rows((1024, "en"), (320, "en"), (360, "en"), (360, "kn"), (768, "en"), (768, "kn"), (1024, "kn")),
    ],
)
def test_nothing_is_wider_than_the_window(fresh: Page, width: int, language: str) -> None:
    teach_by_finger(fresh, "x", CROSS)
    fresh.choose_language(language)
    for place_name in ("", "models", "models#datasets", "models#jobs", "read"):
        fresh.load(f"{fresh.address}/{place_name}")
        fresh.resize(width, 800, mobile=True)
        fresh.wait(lambda: fresh.find("#workspace").get_attribute("value"))
        if not place_name:
            fresh.touch(CROSS)
            fresh.forms()
            for tab in ("#tab-gallery", "#tab-progress", "#tab-keep"):
                fresh.press(tab)
                fresh.wait(lambda: fresh.all("[role=tabpanel]:not([hidden]) h3"))
                assert how_wide(fresh) == width, tab
            fresh.press("#letters")
        assert how_wide(fresh) == width, place_name
