"""Pages in a script that people have taught, in a real browser: each answer is learned, and the page read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient
from haleganada_server.config import ServerConfig
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from tests.conftest import RunningServer, run_server
from tests.contract.reading.taught_loop import TEXT, write
from tests.e2e.web.browser import Page, missing, visit, web

from .taught_page import TaughtPage

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
KNOWN = "ಕಖಗ"  # what most tests teach before the page is read


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    server = run_server(ServerConfig(tmp_path_factory.mktemp("taught"), port=0))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def client(running: RunningServer) -> Iterator[HaleganadaClient]:
    with HaleganadaClient(running.address) as one:
        yield one


@pytest.fixture(scope="module")
def opened(running: RunningServer, chromium: webdriver.Chrome) -> Iterator[Page]:
    with web(running.address) as place, visit(chromium, f"{place}/read") as page:
        page.open()
        yield page


@pytest.fixture
def untaught(opened: Page, running: RunningServer, client: HaleganadaClient) -> TaughtPage:
    """A page of a script of which the workspace knows nothing."""
    opened.complaints()
    one = TaughtPage.read(opened, running, client)
    one.open()
    return one


@pytest.fixture
def taught(opened: Page, running: RunningServer, client: HaleganadaClient) -> Iterator[TaughtPage]:
    """A page of which three letters of five are known, shown without questions."""
    opened.complaints()
    one = TaughtPage.read(opened, running, client, KNOWN)
    opened.run("localStorage.setItem('reading-ask', 'off')")
    one.open()
    yield one
    opened.run("localStorage.removeItem('reading-ask')")


def test_a_page_reads_itself_by_one_answer_for_each_letter(untaught: TaughtPage) -> None:
    answers = 0
    while "".join(untaught.texts()) != untaught.letters and answers < 2 * len(set(untaught.letters)):
        untaught.keys(untaught.letters[untaught.current()], Keys.ENTER)
        answers += 1
        untaught.wait_for_revision(answers)
    assert "".join(untaught.texts()) == untaught.letters
    assert answers <= 1.5 * len(set(untaught.letters))
    assert untaught.get().text.splitlines() == list(TEXT)
    assert untaught.page.complaints() == []


def test_what_looks_the_same_is_named_at_once_without_what_is_taken_out(untaught: TaughtPage) -> None:
    alike = untaught.page.all(".one-alike")
    assert alike and f"These {len(alike) + 1} look the same" in untaught.page.text(".question")
    alike[0].click()
    assert untaught.page.all(".one-alike")[0].get_attribute("aria-pressed") == "false"
    untaught.page.press("#glyph-text")
    untaught.keys("ಎ", Keys.ENTER)
    untaught.wait_for_revision(1)
    assert untaught.states().count("settled") == len(alike)


def test_the_scan_and_the_text_show_the_same_glyph(taught: TaughtPage) -> None:
    taught.drag(taught.find_middle(4))
    assert taught.current() == 4
    assert (
        taught.page.run("return [...document.querySelectorAll('#text .glyph')].findIndex((one) => one.matches('.lit'))")
        == 4
    )
    assert f"Glyph 5 of {len(taught.letters)}" in taught.page.text(".about-word")
    taught.page.all("#text .glyph")[7].click()
    assert taught.current() == 7


def test_arrow_keys_walk_along_and_across_lines(taught: TaughtPage) -> None:
    taught.page.find("#scan").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert taught.current() == 1
    taught.keys(Keys.ARROW_DOWN)
    first_line = len(TEXT[0].replace(" ", ""))
    assert first_line <= taught.current() < first_line + len(TEXT[1].replace(" ", ""))
    taught.keys(Keys.ARROW_UP)
    assert taught.current() == 1


def test_a_candidate_is_picked_by_its_digit(taught: TaughtPage) -> None:
    taught.keys("1")
    taught.wait_for_revision(1)
    assert taught.states()[0] == "settled" and taught.texts()[0] == "ಕ"
    assert taught.current() == 1


def test_ink_that_is_no_glyph_is_taken_out_and_brought_back(taught: TaughtPage) -> None:
    taught.keys("x")
    taught.wait_for_revision(1)
    assert len(taught.texts()) == len(taught.letters) - 1
    taught.page.press("#take-back")
    taught.wait_for_revision(2)
    assert len(taught.texts()) == len(taught.letters)


def test_a_drag_to_a_neighbor_joins_and_a_line_across_splits(taught: TaughtPage) -> None:
    count = len(taught.letters)
    taught.drag(taught.find_middle(0), taught.find_middle(1))
    taught.wait_for_revision(1)
    assert len(taught.texts()) == count - 1
    (left, top), (right, bottom) = taught.find_box(0)
    taught.drag(((left + right) / 2, top - 3), ((left + right) / 2, bottom + 3))
    taught.wait_for_revision(2)
    assert len(taught.texts()) == count


def test_keys_choose_join_split_and_take_back(taught: TaughtPage) -> None:
    count = len(taught.letters)
    scan = taught.page.find("#scan")
    scan.send_keys(Keys.SHIFT, Keys.ARROW_RIGHT, Keys.NULL, "j")
    taught.wait_for_revision(1)
    assert len(taught.texts()) == count - 1
    taught.keys("s", Keys.ARROW_LEFT, Keys.ARROW_RIGHT, Keys.ENTER)
    taught.wait_for_revision(2)
    assert len(taught.texts()) == count
    for revision, left in ((3, count - 1), (4, count)):
        scan.send_keys(Keys.CONTROL, "z")
        taught.wait_for_revision(revision)
        assert len(taught.texts()) == left


def test_typing_never_waits_for_an_answer(taught: TaughtPage) -> None:
    taught.keys(Keys.ENTER, *(key for letter in taught.letters[:4] for key in (letter, Keys.ENTER)), "ಞ")
    taught.wait_for_revision(4)
    assert taught.states()[:4] == ["settled"] * 4
    assert "".join(taught.texts()[:4]) == taught.letters[:4]
    assert taught.page.find("#glyph-text").get_attribute("value") == "ಞ"
    assert taught.current() == 4
    taught.page.find("#glyph-text").clear()


def test_corrections_by_others_appear_and_what_is_typed_stays(taught: TaughtPage) -> None:
    taught.page.press("#glyph-text")
    taught.keys("half typ")
    taught.settle_last("ಗ")
    taught.page.wait(lambda: taught.states()[-1] == "settled")
    assert taught.page.find("#glyph-text").get_attribute("value") == "half typ"
    taught.page.find("#glyph-text").clear()


def test_what_is_typed_outlives_looks_at_other_places(taught: TaughtPage) -> None:
    for typed in ("one", "two"):
        taught.page.press("#glyph-text")
        taught.page.find("#glyph-text").clear()
        taught.keys(typed)
        place = taught.page.run("const { hash } = location; location.hash = ''; return hash")
        taught.page.wait(lambda: taught.page.all("#documents"))
        taught.page.run("location.hash = arguments[0]", place)
        taught.page.wait(lambda: taught.page.all("#glyph-text"))
        assert taught.page.find("#glyph-text").get_attribute("value") == typed


def test_to_take_back_over_others_is_asked_before(taught: TaughtPage) -> None:
    taught.keys("1")
    taught.wait_for_revision(1)
    taught.settle_last("ಗ")
    taught.page.wait(lambda: taught.states()[-1] == "settled")
    taught.page.press("#undo-correction")
    taught.page.wait_for("#dialog", "Others have corrected")
    taught.page.press("#dialog-confirm")
    taught.page.wait(lambda: "settled" not in taught.states())


def test_a_reload_keeps_everything(taught: TaughtPage) -> None:
    taught.keys("1")
    taught.wait_for_revision(1)
    before = taught.texts(), taught.states()
    taught.page.driver.refresh()
    taught.page.wait(lambda: taught.page.all("#text .glyph"))
    assert (taught.texts(), taught.states()) == before
    taught.page.go("")
    taught.page.wait_for("#view section .kept", "kept until it is deleted")


def test_an_answer_that_was_not_heard_is_sent_again(taught: TaughtPage) -> None:
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    taught.page.driver.execute_cdp_cmd("Network.enable", {})
    taught.page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **offline})
    taught.keys("1")
    taught.page.wait(lambda: taught.page.find("#lost").is_displayed())
    taught.page.press("#glyph-text")
    taught.keys("later")
    taught.page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **offline})
    taught.wait_for_revision(1)
    taught.page.wait(lambda: taught.page.all("#glyph-text") and not taught.page.find("#lost").is_displayed())
    assert taught.page.find("#glyph-text").get_attribute("value") == "later"
    taught.page.find("#glyph-text").clear()


def test_a_deleted_reading_says_so_and_leaves_what_was_read(taught: TaughtPage) -> None:
    taught.client.readings.delete(taught.reading_id)
    taught.keys("1")
    taught.page.wait_for("#status", "no longer kept")
    assert len(taught.texts()) == len(taught.letters)
    assert taught.page.find("#glyph-text").get_attribute("value") == "ಕ"


def test_a_document_is_dropped_and_read_by_what_was_taught(taught: TaughtPage, tmp_path: Path) -> None:
    page = taught.page
    path = tmp_path / "leaf.png"
    path.write_bytes(write(TEXT).to_png())
    page.go("")
    page.wait(lambda: page.all("#read-mode"))
    page.press("#read-mode option[value=taught]")
    page.press(f"#workspace option[value='{taught.workspace}']")
    page.wait_for("#view", taught.workspace)
    assert len(page.all("#read-order option")) == 5
    page.find("#documents").send_keys(str(path))
    page.press(".queue a.primary")
    page.wait(lambda: page.all("#text .glyph"))
    assert "".join(taught.texts()).startswith(KNOWN)
    page.press("summary.button")
    assert any("/export/glyphs" in (link.get_attribute("href") or "") for link in page.all(".download"))


def test_a_finger_chooses_and_divides(taught: TaughtPage) -> None:
    taught.open(375, 812, mobile=True)
    taught.page.find("#scan").click()
    taught.tap(taught.find_middle(1))
    taught.page.wait(lambda: taught.current() == 1)
    taught.page.press("#split-glyph")
    (left, top), (right, bottom) = taught.find_box(1)
    middle = (left + right) / 2
    taught.page.finger("touchStart", [{"x": middle, "y": top - 2}])
    taught.page.finger("touchMove", [{"x": middle, "y": bottom + 2}])
    taught.page.finger("touchEnd", [])
    taught.wait_for_revision(1)
    assert len(taught.texts()) == len(taught.letters) + 1


def test_it_fits_and_everything_has_a_name(taught: TaughtPage) -> None:
    for width in (375, 1280):
        taught.open(width, 812, mobile=width < 500)
        for language in ("kn", "en"):
            taught.page.choose_language(language)
            taught.page.wait(lambda: taught.page.all("#glyph-title"))
            assert taught.page.is_narrow_enough(), (language, width)
            assert taught.page.nameless() == [], (language, width)
