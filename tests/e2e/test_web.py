"""The page in a real browser: draw, teach, recognise, correct, undo, reset; mouse, finger and keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.browser import Page, missing, page
from tests.e2e.letters import letter

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
CROSS = [[(-0.6, -0.6), (0.6, 0.6)], [(0.6, -0.6), (-0.6, 0.6)]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with page("--touch-events=enabled") as opened:
        yield opened


@pytest.fixture
def fresh(browser: Page) -> Page:
    """The page with an empty workspace."""
    browser.open()
    browser.driver.execute_script("localStorage.clear()")
    browser.driver.execute_async_script(
        """const done = arguments[0]; const name = 'w' + Math.random();
        const headers = {'Content-Type': 'application/json', 'X-CSRF-Token':
        document.querySelector('meta[name=csrf]').content}; fetch('/page/workspaces', {method: 'POST', headers, body:
        JSON.stringify({name})})
          .then(() => { localStorage.setItem('workspace', name); done(); });"""
    )
    browser.open()
    return browser


def test_draw_teach_recognise_correct_undo_reset(fresh: Page) -> None:
    fresh.draw(letter("ಅ", 1))
    assert fresh.best() == "" and "Nothing taught" in fresh.text("#decision")
    fresh.teach("ಅ")
    fresh.draw(letter("ಕ", 1))
    fresh.teach("ಕ")
    fresh.draw(letter("ಅ", 2))
    assert fresh.best() == "ಅ"
    assert "U+0C85" in fresh.text("#candidates") and "%" in fresh.text("#candidates")

    fresh.all("#candidates button")[1].click()  # no: it is the second one
    fresh.wait(lambda: "Learned: this is ಕ" in fresh.text("#status"))
    assert len(fresh.all(".shot")) == 3
    fresh.find("#undo").click()
    fresh.wait(lambda: "Taken back" in fresh.text("#status") and len(fresh.all(".shot")) == 2)

    fresh.find("#tab-keep").click()
    fresh.wait(lambda: fresh.all("#reset"))
    fresh.find("#reset").click()
    fresh.find("#dialog-input").send_keys(fresh.find("#workspace").get_attribute("value") or "")
    fresh.find('#dialog button[value="ok"]').click()
    fresh.wait(lambda: "Empty" in fresh.text("#status"))
    fresh.find("#tab-gallery").click()
    fresh.wait(lambda: not fresh.all(".shot"))
    assert not fresh.complaints()


def test_a_finger_on_a_phone(fresh: Page) -> None:
    fresh.open(400, 860)
    assert fresh.driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    fresh.touch(CROSS)
    fresh.teach("x")
    fresh.touch(CROSS)
    assert fresh.best() == "x"
    assert not fresh.complaints()


def test_the_keyboard(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.find("#board").send_keys(Keys.ENTER)
    fresh.driver.switch_to.active_element.send_keys("x1", Keys.ENTER)  # digits while typing choose nothing
    fresh.wait(lambda: "Learned x1" in fresh.text("#status"))
    fresh.draw(CROSS)
    fresh.best()
    fresh.find("#board").send_keys("1")
    fresh.wait(lambda: "Learned: this is x1" in fresh.text("#status"))
    fresh.draw(CROSS)
    fresh.best()
    for _ in CROSS:
        fresh.find("#board").send_keys(Keys.BACKSPACE)
    fresh.wait(lambda: not fresh.text("#decision"))


def test_gallery_relabel_and_forget(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.teach("x")
    fresh.wait(lambda: len(fresh.all(".shot")) == 1)
    fresh.find(".shot").click()
    fresh.find("#dialog-input").send_keys(Keys.CONTROL + "a", "y")
    fresh.find('#dialog button[value="ok"]').click()
    fresh.wait(lambda: fresh.all(".letter") and fresh.text(".letter") == "y")
    fresh.find(".shot").click()
    fresh.find("#dialog-input").send_keys(Keys.CONTROL + "a", Keys.BACKSPACE)
    fresh.find('#dialog button[value="ok"]').click()
    fresh.wait(lambda: not fresh.all(".shot"))


def test_a_hostile_label_is_only_text(fresh: Page) -> None:
    label = "<img src=x onerror=document.title='owned'>"
    fresh.draw(CROSS)
    fresh.teach(label)
    fresh.draw(CROSS)
    assert fresh.best() == label
    fresh.find("#tab-figures").click()
    fresh.wait(lambda: fresh.all(".numbers"))
    assert not fresh.driver.find_elements(By.CSS_SELECTOR, "img[src='x']")
    assert fresh.driver.title == "Haleganada"


def test_two_languages(fresh: Page) -> None:
    fresh.find("#language").click()
    fresh.wait(lambda: fresh.text("#draw-title") == "ಒಂದು ಅಕ್ಷರ ಬರೆಯಿರಿ")
    assert fresh.driver.execute_script("return document.documentElement.lang") == "kn"
    missing_words = fresh.driver.execute_async_script(
        "const done = arguments[0]; import('/static/words.js').then((words) => done(words.missingWords()))"
    )
    assert missing_words == []
    fresh.find("#language").click()


def test_figures_are_plotted(fresh: Page) -> None:
    for hand in range(3):
        for label in ("ಅ", "ಕ"):
            fresh.draw(letter(label, hand))
            fresh.teach(label)
    fresh.find("#tab-figures").click()
    fresh.wait(lambda: len(fresh.all(".uplot canvas")) == 3)
    assert not fresh.complaints()


def test_pictures_of_several_pens_and_screens(fresh: Page) -> None:
    """The same strokes at another size of board are the same character."""
    fresh.draw(CROSS)
    fresh.teach("x")
    fresh.open(700, 900)
    fresh.draw(CROSS)
    assert fresh.best() == "x"
