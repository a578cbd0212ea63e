"""What has just been done, wherever the reader is: said at once, taken back alone, and without moving the focus."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_server.core.workspaces.workspace import Workspace
from selenium.webdriver.common.keys import Keys

from tests.e2e.processes import server
from tests.e2e.web.browser import BAR, CROSS, Page, browser, missing, web
from tests.support.slow import slow

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]


@pytest.fixture
def other_tab(fresh: Page) -> Iterator[str]:
    """The handle of a second tab with the same workspace; the first one is in front."""
    first = fresh.driver.current_window_handle
    fresh.driver.switch_to.new_window("tab")
    fresh.open()
    second = fresh.driver.current_window_handle
    fresh.driver.switch_to.window(first)
    yield second
    fresh.driver.switch_to.window(second)
    fresh.driver.close()
    fresh.driver.switch_to.window(first)


def teach(fresh: Page, label: str) -> None:
    fresh.draw(BAR if label == "l" else CROSS)
    fresh.teach(label)


def find_focus(fresh: Page) -> str:
    return str(fresh.run("return document.activeElement.id || document.activeElement.ariaLabel"))


def slow_down(fresh: Page, part: str) -> None:
    """Let calls whose path has a part wait until window.release() is called."""
    fresh.run(
        """const part = arguments[0], plain = window.fetch;
        const released = new Promise((resolve) => { window.release = resolve; });
        window.fetch = async (address, options) => {
          if (address.includes(part)) await released;
          return plain(address, options);
        };""",
        part,
    )


# Taking back


def test_in_two_tabs_only_the_own_change_is_taken_back(fresh: Page, other_tab: str) -> None:
    teach(fresh, "x")
    fresh.press("#gallery .mini")
    fresh.press("#dialog .danger")
    fresh.wait_for("#status", "Deleted")
    assert fresh.text("#take-back") == "Take back"
    first = fresh.driver.current_window_handle
    fresh.driver.switch_to.window(other_tab)
    teach(fresh, "l")
    fresh.driver.switch_to.window(first)
    fresh.press("#take-back")
    fresh.wait_for("#status", "something else was changed here in the meantime")
    fresh.wait_for("#gallery h3", "l")  # as it is now
    fresh.open()
    fresh.wait_for("#gallery h3", "l")


def test_a_tab_that_is_looked_at_again_shows_what_others_did(fresh: Page, other_tab: str) -> None:
    first = fresh.driver.current_window_handle
    fresh.driver.switch_to.window(other_tab)
    teach(fresh, "l")
    fresh.driver.switch_to.window(first)
    fresh.run("document.dispatchEvent(new Event('visibilitychange'))")  # headless tabs are never hidden
    fresh.wait_for("#gallery h3", "l")


def test_what_another_tab_has_changed_is_not_changed_again_unseen(fresh: Page, other_tab: str) -> None:
    teach(fresh, "x")
    teach(fresh, "l")
    fresh.press("#gallery .mini[aria-label$=l]")
    fresh.wait(lambda: fresh.all("#dialog form input"))
    first = fresh.driver.current_window_handle
    fresh.driver.switch_to.window(other_tab)
    teach(fresh, "t")  # that is nobody's business here
    fresh.wait_for("#count", "3")
    fresh.driver.switch_to.window(first)
    fresh.find("#dialog form input").send_keys(Keys.CONTROL + "a" + Keys.NULL, "I", Keys.ENTER)
    fresh.wait_for("#status", "It is now I.")
    fresh.press("#gallery .mini[aria-label$=I]")
    fresh.wait(lambda: fresh.all("#dialog form input"))
    fresh.driver.switch_to.window(other_tab)
    fresh.press("#gallery .mini[aria-label$=I]")
    fresh.wait(lambda: fresh.all("#dialog form input"))
    fresh.find("#dialog form input").send_keys(Keys.CONTROL + "a" + Keys.NULL, "J", Keys.ENTER)
    fresh.wait_for("#status", "It is now J.")
    fresh.driver.switch_to.window(first)
    fresh.press("#dialog .danger")
    fresh.wait_for("#status", "something else was changed here in the meantime")
    fresh.wait_for("#gallery", "J")
    assert fresh.text("#count") == "3"


def test_a_lesson_is_named_and_its_drawing_comes_back(fresh: Page) -> None:
    teach(fresh, "x")
    assert fresh.text("#take-back") == "Take back x" and fresh.find("#toast-picture canvas").is_displayed()
    fresh.draw(BAR)
    fresh.press("#clear")
    fresh.press("#take-back")
    fresh.wait_for("#status", "x is taken back.")
    assert not fresh.find("#take-back").is_displayed()
    fresh.wait(lambda: not fresh.find("#count").is_displayed())
    fresh.teach("x")  # the cross, not the bar that was cleared since
    fresh.draw(CROSS)
    assert fresh.forms() == ["x"] and fresh.kind() == "recognized"


def test_emptying_is_refused_where_somebody_has_taught_since(fresh: Page, other_tab: str) -> None:
    teach(fresh, "x")
    fresh.find("#tab-keep").click()
    fresh.press("#reset")
    name = fresh.find("#workspace").get_attribute("value") or ""
    first = fresh.driver.current_window_handle
    fresh.driver.switch_to.window(other_tab)
    teach(fresh, "l")
    fresh.driver.switch_to.window(first)
    fresh.find("#dialog-input").send_keys(name, Keys.ENTER)
    fresh.wait_for("#status", "something else was changed here in the meantime")
    fresh.wait_for("#count", "2")


# Where it is, and the focus


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 740)])
def test_it_is_in_view_wherever_the_page_is_scrolled_to(fresh: Page, width: int, height: int) -> None:
    fresh.open(width, height, mobile=width < 500)
    teach(fresh, "x")
    for place in ("0", "document.documentElement.scrollHeight"):
        fresh.run(f"scrollTo(0, {place})")
        box = fresh.run("return document.getElementById('toast').getBoundingClientRect().toJSON()")
        assert 0 <= box["left"] < box["right"] <= width and 0 <= box["top"] < box["bottom"] <= height
        assert fresh.find("#take-back").is_displayed()
    bottom = fresh.run(
        """document.documentElement.style.setProperty("--keyboard", "250px");  // until it is measured anew
        return document.getElementById("toast").getBoundingClientRect().bottom;"""
    )
    assert bottom <= height - 250
    assert fresh.is_narrow_enough()
    fresh.press("#toast-close")
    assert not fresh.text("#status") and not fresh.find("#take-back").is_displayed()


def test_the_focus_stays_where_the_reader_was(fresh: Page) -> None:
    fresh.draw(CROSS)
    fresh.find("#label").send_keys("x", Keys.ENTER)
    fresh.wait_for("#count", "1")
    assert find_focus(fresh) == "label"
    fresh.find("#take-back").click()  # a press leaves the focus, and a phone's keyboard, where they are
    fresh.wait_for("#status", "x is taken back.")
    assert find_focus(fresh) == "label"
    teach(fresh, "x")
    fresh.run("document.getElementById('board').focus()")
    fresh.run("document.getElementById('take-back').focus()")
    fresh.find("#take-back").send_keys(Keys.ENTER)
    fresh.wait_for("#status", "x is taken back.")
    assert find_focus(fresh) == "board"  # not lost with the button


def test_the_focus_stays_in_lists_that_are_shown_anew(fresh: Page) -> None:
    teach(fresh, "x")
    teach(fresh, "l")
    fresh.wait(lambda: len(fresh.all("#gallery .mini")) == 2)
    fresh.run("document.querySelector('#gallery .mini').focus()")
    fresh.find("#gallery .mini").send_keys(Keys.ENTER)
    fresh.press("#dialog .danger")
    fresh.wait(lambda: len(fresh.all("#gallery .mini")) == 1)
    assert fresh.run("return document.activeElement.closest('#gallery') !== null")
    fresh.draw(CROSS)
    fresh.kind()
    fresh.run("document.querySelector('#recent button').focus()")
    fresh.find("#recent button").send_keys(Keys.ENTER)
    fresh.wait_for("#count", "2")
    assert find_focus(fresh) == "board"  # a chip needs a drawing, and the next one is made here


# While the server works


def test_a_verdict_gives_way_to_a_new_drawing(fresh: Page) -> None:
    teach(fresh, "x")
    fresh.draw(CROSS)
    assert fresh.kind() == "recognized"
    slow_down(fresh, "predict")
    fresh.draw(BAR)
    fresh.wait_for("#decision", "Let me see…")
    assert not fresh.all("#candidates button") and not fresh.text("#tile")
    assert fresh.find("#verdict").get_attribute("aria-busy") == "true"
    fresh.find("#board").send_keys("1")  # no candidate of the earlier drawing is taught
    fresh.run("release()")
    assert fresh.forms() == ["x"] and fresh.text("#count") == "1"
    assert fresh.find("#verdict").get_attribute("aria-busy") == "false"


def test_slow_teaching_is_said(fresh: Page) -> None:
    slow_down(fresh, "train")
    fresh.draw(CROSS)
    fresh.find("#label").send_keys("x", Keys.ENTER)
    fresh.wait_for("#status", "Learning x…")
    fresh.run("release()")
    fresh.wait_for("#status", "Learned x")


# A browser that keeps nothing


@pytest.mark.parametrize("language", ["en", *slow("kn")])
def test_the_page_works_where_nothing_may_be_kept(tmp_path: Path, language: str) -> None:
    with (
        server(tmp_path) as running,
        web(running.address) as address,
        browser(address, profile__default_content_setting_values__cookies=2) as here,
    ):
        here.open()
        assert here.run("try { return localStorage.length } catch { return 'blocked' }") == "blocked"
        here.choose_language(language)
        here.press("#theme")
        teach(here, "x") if language == "en" else teach_in_kannada(here)
        here.draw(CROSS)
        assert here.forms() == ["x"] and here.kind() == "recognized"
        keep_what_was_taught_twice(here)
        visit_the_other_pages(here, language)
        assert not here.complaints()


def visit_the_other_pages(here: Page, language: str) -> None:
    """What was chosen goes along: the workspace, the language, the theme."""
    theme = here.run("return document.documentElement.dataset.theme")
    here.run("document.querySelector('#workspace option[value=\"\"]').selected = true")
    here.run("document.getElementById('workspace').dispatchEvent(new Event('change'))")
    here.wait(lambda: here.all("#dialog-input"))
    here.find("#dialog-input").send_keys("ಅ & b", Keys.ENTER)
    here.wait(lambda: here.find("#workspace").get_attribute("value") == "ಅ & b")
    for step in ("#to-models", "#to-read", "reload", "#to-slate", "reload"):
        if step == "reload":
            here.driver.refresh()
        else:
            here.press(step)
            here.wait(lambda: here.driver.execute_script("return document.readyState") == "complete")
        here.wait(lambda: here.find("#workspace").get_attribute("value"))
        assert here.find("#workspace").get_attribute("value") == "ಅ & b"
        assert here.find("#language").get_attribute("value") == language
        assert here.run("return document.documentElement.dataset.theme") == theme
        assert here.run("return document.documentElement.lang") == language


def keep_what_was_taught_twice(here: Page) -> None:
    """Answer a question about two drawings, and look again: it is not asked again as long as the page is there."""
    here.find("#label").send_keys("x", Keys.ENTER)
    here.wait_for("#count", "2")
    here.press("#tab-progress")
    here.press(".suspects button")
    here.wait(lambda: len(here.all(".suspect")) == 1)
    here.press(".suspect .row button")
    here.wait(lambda: not here.all(".suspect"))
    here.press(".suspects > button")
    here.wait(lambda: here.find(".suspects > button").is_enabled())
    assert not here.all(".suspect")


def teach_in_kannada(here: Page) -> None:
    here.draw(CROSS)
    here.find("#label").send_keys("x", Keys.ENTER)
    here.wait_for("#status", "x ಕಲಿತೆ")
    assert here.text("#take-back") == "x ಹಿಂಪಡೆಯಿರಿ"


# What failed


def test_a_fault_of_the_server_is_told_with_the_name_of_its_request(
    fresh: Page, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Workspace, "train", fail)
    fresh.draw(CROSS)
    fresh.kind()
    fresh.find("#label").send_keys("x")
    with caplog.at_level(logging.ERROR):
        fresh.find("#teach-button").click()
        fresh.wait_for("#status", "(request ")
    (named,) = re.findall(r"\(request (\w+)\)", fresh.text("#status"))
    assert f"call_id={named}" in caplog.text
