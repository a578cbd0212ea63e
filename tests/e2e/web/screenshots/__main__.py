"""The pictures of docs/screenshots, from the real page and a real server:

    python -m tests.e2e.web.screenshots [drawing reading taught models]

A class has taught its letters before: several hands wrote each of them, now and then somebody mislabeled one, as
people do. That is taught through the client; what the pictures show being drawn is drawn with the mouse or a finger.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from haleganada_client import HaleganadaClient, Ink, Stroke

from tests.e2e.handwriting import letters, write_letter
from tests.e2e.processes import missing_torch, server
from tests.e2e.web.browser import Page, browser, missing, web
from tests.e2e.web.screenshots import models, reading, taught

FOLDER = Path(__file__).parents[4] / "docs" / "screenshots"
WORKSPACE = "ಕನ್ನಡ ತರಗತಿ"
WIDE: dict[str, Any] = {"width": 1280, "height": 900, "ratio": 1.5}
PHONE: dict[str, Any] = {"width": 390, "height": 844, "ratio": 2, "mobile": True}
_MISTAKES = {("ಪ", 4): "ವ", ("ಉ", 5): "ಲ"}


def main() -> None:
    if missing():
        sys.exit(f"{missing()} not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Callable[[], None]] = {
        "drawing": shoot_drawing,
        "reading": lambda: reading.shoot_reading(shoot),
        "taught": lambda: taught.shoot_taught(shoot),
        "models": shoot_models,
    }
    for part in sys.argv[1:] or parts:
        parts[part]()


def shoot_drawing() -> None:
    with ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory())
        running = stack.enter_context(server(Path(data)))
        with running.client() as client:
            teach_a_class(client)
        address = stack.enter_context(web(running.address))
        page = stack.enter_context(browser(address))
        first_visit(page)
        page.run("localStorage.setItem('workspace', arguments[0])", WORKSPACE)
        on_a_screen(page)
        on_a_phone(page)


def shoot_models() -> None:
    if missing_torch():
        sys.exit(missing_torch())
    models.shoot_models(shoot)


def teach_a_class(client: HaleganadaClient) -> None:
    """Letters in the order in which hands write them, more often the ones that a class meets first."""
    client.create_workspace(WORKSPACE)
    order = [(letter, hand) for i, letter in enumerate(letters()) for hand in range(7 - i // 5)]
    random.Random(1).shuffle(order)
    for letter, hand in order:
        strokes = [Stroke(*zip(*points, strict=True)) for points in write_letter(letter, hand)]
        client.train(Ink(tuple(strokes), 1, 1, 0.035), _MISTAKES.get((letter, hand), letter), workspace=WORKSPACE)
    client.link_variants("ಈ", "ಇ", workspace=WORKSPACE)
    client.save("ಮೊದಲ ವಾರ", workspace=WORKSPACE)


def first_visit(page: Page) -> None:
    page.open(**WIDE)
    page.wait_for("#decision", "Teach me")
    shoot(page, "first-visit")


def on_a_screen(page: Page) -> None:
    page.open(**WIDE)
    draw(page, "ಅ", 50)
    shoot(page, "recognized")
    page.prefer("dark")
    shoot(page, "dark")
    page.prefer("light")
    page.find("#tab-progress").click()
    page.wait(lambda: len(page.all(".uplot canvas")) == 3)
    page.press(".suspects button")
    page.wait(lambda: page.all(".suspect"))
    shoot(page, "progress", ".below")
    page.find("#tab-keep").click()
    page.wait(lambda: page.all("#save"))
    shoot(page, "keep", ".below")
    page.find("#tab-gallery").click()
    page.wait(lambda: page.all(".mini"))
    shoot(page, "taught", ".below")
    page.choose_language("kn")
    page.wait_for("#teach-button", "ಕಲಿಸಿ")
    page.open(**WIDE)
    draw(page, "ದ", 51)
    page.find("#letters").click()
    shoot(page, "kannada")
    page.choose_language("en")


def on_a_phone(page: Page) -> None:
    page.open(**PHONE)
    page.touch(write_letter("ಕ", 52))
    page.kind()
    shoot(page, "phone")


def draw(page: Page, letter: str, hand: int) -> None:
    """Write a letter and wait for the verdict on all of its strokes."""
    page.draw(write_letter(letter, hand))
    page.wait(lambda: page.run("return document.querySelector('#verdict').dataset.kind === 'recognized'"))


def shoot(page: Page, name: str, part: str = "") -> None:
    """Save what the browser shows, once nothing moves any more."""
    page.run("document.activeElement.blur(); for (const image of document.images) image.loading = 'eager'")
    page.wait(lambda: page.run("return [...document.images].every((image) => image.complete)"))
    page.driver.execute_async_script("const done = arguments[0]; setTimeout(done, 400)")
    page.picture(FOLDER / f"{name}.png", part)
    print(f"docs/screenshots/{name}.png")


if __name__ == "__main__":
    main()
