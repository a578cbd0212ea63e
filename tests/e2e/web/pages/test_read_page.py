"""The page that reads, in a real browser: documents are dropped and read, a page is shown beside its text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient
from haleganada_server.config import ServerConfig
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.conftest import run_server
from tests.e2e.web.browser import Page, missing, visit, web
from tests.support.tiny_reader import tiny

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
LETTER = ("Dear Asha,\nthe mango tree\n\nblooms", "ಹಳೆ ಕನ್ನಡ")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that reads what tests/support/tiny_reader.py reads."""
    running = run_server(ServerConfig(tmp_path_factory.mktemp("reading"), port=0))
    try:
        yield running.address
    finally:
        running.stop()


@pytest.fixture(scope="module")
def opened(address: str, chromium: webdriver.Chrome) -> Iterator[Page]:
    with web(address) as place, visit(chromium, f"{place}/read") as page:
        yield page


@pytest.fixture
def page(opened: Page) -> Page:
    opened.complaints()
    opened.go("")
    return opened


def choose(page: Page, tmp_path: Path, *documents: tuple[str, bytes]) -> None:
    """Choose files as the browser's dialog does."""
    for name, content in documents:
        (tmp_path / name).write_bytes(content)
    page.wait(lambda: page.all("#documents"))
    page.find("#documents").send_keys("\n".join(str(tmp_path / name) for name, _ in documents))


def point_at(page: Page, element: WebElement) -> None:
    """Move the mouse to an element."""
    ActionChains(page.driver).move_to_element(element).perform()


def find_width(page: Page) -> float:
    """Return the width of the scan in CSS px."""
    return float(page.run("return document.querySelector('.sheet').offsetWidth"))


def keep(address: str, *pages: str, name: str = "letter.pdf") -> str:
    """Read a document through the client; return the id of the reading."""
    with HaleganadaClient(address) as client, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(tiny(*pages))
        (done,) = client.read_many([path], keep=True)
        assert done.reading is not None
        return done.reading.reading_id


def test_a_document_is_read_and_shown(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path, ("letter.pdf", tiny(*LETTER)))
    page.press(".queue a.primary")
    page.wait_for("#text", "mango")
    assert [line.text for line in page.all("#text .line")] == ["Dear Asha,", "the mango tree", "blooms"]
    assert len(page.all("#text p")) == 2
    assert page.complaints() == []


def test_documents_are_read_side_by_side_and_a_bad_one_says_why(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path, ("good.pdf", tiny("fine")), ("bad.pdf", b"no document"), ("third.pdf", tiny("also fine")))
    page.wait(lambda: len(page.all(".queue a.primary")) >= 2 and page.all(".queue .warning"))
    assert "TINY" in page.text(".queue .warning")
    assert {"good.pdf", "third.pdf"} <= {title.text for title in page.all("#view section .kept .title")}


def test_a_document_without_text_is_told_apart(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path, ("blank.pdf", tiny("")))
    page.wait_for(".queue li:last-child small", "No text was found")
    assert "No text was found" in page.text("#view section .kept li")


def test_progress_counts_pages_and_can_be_stopped(page: Page, tmp_path: Path) -> None:
    choose(page, tmp_path, ("long.pdf", tiny("one", "two", *["!sleep 4"] * 4)))
    page.wait(lambda: any("2 of 6" in note.text for note in page.all(".queue small")))
    page.press(".queue li:last-child button")
    page.wait(lambda: not any("of 6" in note.text for note in page.all(".queue small")))


def test_words_light_up_in_both_directions(page: Page, address: str) -> None:
    page.go(f"reading/{keep(address, *LETTER)}")
    page.wait(lambda: page.all("#scan .box"))
    words, boxes = page.all("#text .word"), page.all("#scan .box")
    assert len(words) == len(boxes) == 6
    point_at(page, words[3])
    page.wait(lambda: "lit" in (boxes[3].get_attribute("class") or ""))
    assert "50.0 %" in page.text(".about-word")
    point_at(page, boxes[1])
    page.wait(lambda: "lit" in (words[1].get_attribute("class") or ""))


def test_arrow_keys_walk_through_the_words(page: Page, address: str) -> None:
    page.go(f"reading/{keep(address, *LETTER)}")
    page.wait(lambda: page.all("#text .word"))
    page.find("#text").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.wait(lambda: [word.text for word in page.all("#text .word.lit")] == ["Asha,"])
    assert len(page.all("#scan .box.lit")) == 1


def test_pages_are_turned_by_buttons_and_keys(page: Page, address: str) -> None:
    page.go(f"reading/{keep(address, *LETTER)}")
    page.wait_for("#text", "mango")
    page.press("nav a")
    page.wait_for("#text", "ಹಳೆ")
    page.find("#scan").send_keys(Keys.PAGE_UP)
    page.wait_for("#text", "mango")


def test_the_scan_can_be_zoomed(page: Page, address: str) -> None:
    page.go(f"reading/{keep(address, *LETTER)}")
    page.wait(lambda: page.all("#scan .box"))
    before = find_width(page)
    page.find("#scan").send_keys("+")
    page.wait(lambda: find_width(page) > 1.3 * before)
    page.press("#fit")
    page.wait(lambda: find_width(page) == before)


def test_the_tools_have_room_over_a_picture_of_one_line(page: Page, address: str) -> None:
    page.go(f"reading/{keep(address, *LETTER)}")
    page.wait(lambda: page.all("#scan .box"))
    page.run("document.querySelector('#scan').style.aspectRatio = 20")
    assert page.find(".tools").rect["y"] > page.find("#scan").rect["y"] + 40


@pytest.mark.parametrize("shape", [20, 0.5])
def test_the_scan_is_as_wide_as_its_place(page: Page, address: str, shape: float) -> None:
    page.go(f"reading/{keep(address, *LETTER)}")
    page.wait(lambda: page.all("#scan .box"))
    page.run("document.querySelector('#scan').style.aspectRatio = arguments[0]", shape)
    assert page.find("#scan").rect["width"] == pytest.approx(page.find(".scan").rect["width"], abs=1)


def test_each_format_can_be_downloaded(page: Page, address: str) -> None:
    page.go(f"reading/{keep(address, *LETTER)}")
    page.press("summary.button")
    addresses = [link.get_attribute("href") for link in page.all(".download")]
    assert len(addresses) == 9
    fetch = "return fetch(arguments[0]).then((answer) => answer.status)"
    assert [page.run(fetch, one) for one in addresses] == [200] * 9


def test_a_reading_is_deleted(page: Page, address: str) -> None:
    keep(address, "short lived", name="gone.pdf")
    page.go("")
    page.wait_for("#view section .kept", "gone.pdf")
    page.press("#view section .kept li:first-child button.danger")
    page.press("dialog button.danger")
    page.wait(lambda: "gone.pdf" not in page.text("#view section"))


def test_it_fits_and_everything_has_a_name(page: Page, address: str) -> None:
    for place in ("", f"reading/{keep(address, *LETTER)}"):
        for width in (390, 1280):
            page.go(place, width=width, mobile=width < 500)
            for language in ("kn", "en"):
                page.choose_language(language)
                page.wait(lambda: page.all(".drop-zone, #scan"))
                assert page.is_narrow_enough(), (place, width, language)
                assert page.nameless() == [], (place, width, language)


def test_what_to_install_is_a_command_where_its_words_would_be_foreign(page: Page) -> None:
    page.wait_for(".fields", "Missing is not installed: pip install missing, then start the server again")
    page.choose_language("kn")
    page.wait_for(".fields", "Missing ಸ್ಥಾಪನೆಯಾಗಿಲ್ಲ: pip install missing")
    assert "start the server" not in page.text(".fields")
    page.choose_language("en")
