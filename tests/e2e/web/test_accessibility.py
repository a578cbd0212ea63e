"""axe finds nothing to object to: on every page, by day and by night, on a phone and on a wide screen."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient

from tests.conftest import RunningServer
from tests.e2e.handwriting import write_letter
from tests.e2e.web.browser import Page, missing
from tests.e2e.web.pages.taught_page import TaughtPage
from tests.support.slow import slow_rows

AXE = Path(__file__).parents[3] / "clients" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci in clients/)"),
]
LOOKS = WIDE, NARROW = [("en", "light", 1280), ("kn", "dark", 360)]
MORE_LOOKS = [("kn", "dark", 1280), ("kn", "light", 360)]
PLACES = ["models", "models#datasets", "models#jobs", "read"]


@pytest.fixture(scope="module")
def taught(opened: Page) -> Page:
    """The page with a few drawings, one label of which has more than fit beside it."""
    opened.open_afresh()
    for hand in range(8):
        opened.draw(write_letter("ಅ" if hand < 6 else "ಕ", hand))
        opened.teach("ಅ" if hand < 6 else "ಕ")
    return opened


def object_to(page: Page, part: str = "html") -> list[str]:
    """Return what axe objects to in the page as it is shown, or in a part of it, given by its selector."""
    if not page.run("return 'axe' in window"):
        page.run(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.driver.execute_async_script(_CHECK, part)
    return found


_PANEL = "[role=tabpanel]:not([hidden])"
_CHECK = """
const [part, done] = arguments;
axe.run(part, {resultTypes: ["violations"]}).then(  // says in detail what is wrong, not what is right
  ({violations}) => done(violations.flatMap(({id, nodes}) => nodes.map(({target}) => `${id}: ${target}`))),
  (error) => done([String(error)]),
);
"""


@pytest.mark.parametrize(("language", "scheme", "width"), [NARROW, *slow_rows(WIDE, *MORE_LOOKS)])
def test_the_page_to_draw_on(taught: Page, language: str, scheme: str, width: int) -> None:
    taught.prefer(scheme)
    taught.open(width, 800)
    taught.choose_language(language)
    taught.draw(write_letter("ಅ", 9))
    taught.kind()
    taught.press("#letters")
    assert object_to(taught) == []
    for tab in ("#tab-progress", "#tab-keep"):
        taught.press(tab)
        taught.wait(lambda: taught.all(f"{_PANEL} h3"))
        assert object_to(taught, _PANEL) == []
    taught.press("#tab-progress")
    taught.press(".suspects button")
    taught.wait(lambda: taught.all(".suspects .advice, .suspects .note"))
    assert object_to(taught, ".suspects") == []
    taught.press("#tab-gallery")
    taught.press("#gallery .mini")
    taught.wait(lambda: taught.all("#dialog img"))
    assert object_to(taught, "#dialog") == []
    taught.press("#dialog .shut")
    taught.press("#candidates button")  # the toast, and its picture
    taught.wait(lambda: taught.text("#status"))
    assert object_to(taught) == []


@pytest.mark.parametrize(
    ("place", "look"),
    [
        *((place, LOOKS[number % 2]) for number, place in enumerate(PLACES)),
        *slow_rows(
            *((place, look) for number, place in enumerate(PLACES) for look in [LOOKS[1 - number % 2], *MORE_LOOKS])
        ),
    ],
)
def test_the_other_pages(taught: Page, place: str, look: tuple[str, str, int]) -> None:
    language, scheme, width = look
    taught.prefer(scheme)
    taught.open(width, 800)
    taught.choose_language(language)
    taught.driver.get(f"{taught.address}/{place}")
    taught.wait(lambda: taught.find("#workspace").get_attribute("value") and taught.text("#view"))
    assert object_to(taught) == []


@pytest.mark.parametrize(("language", "scheme", "width"), [WIDE, *slow_rows(NARROW, *MORE_LOOKS)])
def test_a_page_that_is_corrected(taught: Page, server: RunningServer, language: str, scheme: str, width: int) -> None:
    pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")
    page = Page(taught.driver, f"{taught.address}/read")
    page.prefer(scheme)
    with HaleganadaClient(server.address) as client, closing(TaughtPage.read(page, server, client, "ಕಖ")) as reading:
        reading.open(width, 800)
        page.choose_language(language)
        page.wait(lambda: page.all(".one-alike"))
        assert object_to(page) == []
        page.find("#scan").send_keys("1")
        reading.wait_for_revision(1)
        page.wait(lambda: page.text("#status"))
        assert object_to(page) == []


@pytest.mark.parametrize(("language", "scheme", "width"), [*LOOKS, *slow_rows(*MORE_LOOKS)])
def test_the_login_page(opened: Page, language: str, scheme: str, width: int) -> None:
    opened.prefer(scheme)
    opened.open(width, 800)
    opened.choose_language(language)
    opened.driver.get(f"{opened.address}/login")
    opened.wait(lambda: opened.find("#token").is_displayed())
    assert object_to(opened) == []
