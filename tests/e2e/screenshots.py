"""The pictures of docs/screenshots, from the real page and the real server: python -m tests.e2e.screenshots."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.e2e.browser import Page, missing, page
from tests.e2e.letters import LABELS, letter

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
HANDS = 4


def main() -> None:
    if missing():
        sys.exit(f"{missing()} not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with page("--force-device-scale-factor=1") as browser:
        browser.open(1180, 1010)
        shoot(browser, "empty")
        for hand in range(HANDS):
            for label in LABELS:
                browser.draw(letter(label, hand))
                browser.teach(label)
        browser.driver.execute_script("scrollTo(0, 0)")
        browser.draw(letter("ಅ", 90))
        browser.best()
        shoot(browser, "page")
        browser.find("#theme").click()
        shoot(browser, "dark")
        browser.find("#theme").click()
        browser.find("#language").click()
        browser.wait(lambda: browser.text("#draw-title") != "Draw a character")
        shoot(browser, "kannada")
        browser.find("#language").click()
        browser.find("#tab-figures").click()
        browser.wait(lambda: len(browser.all(".uplot canvas")) == 3)
        browser.driver.execute_script("document.querySelector('.below').scrollIntoView()")
        shoot(browser, "figures")
        browser.find("#tab-gallery").click()
        browser.open(400, 860)
        browser.draw(letter("ಕ", 91))
        browser.best()
        browser.driver.execute_script("scrollTo(0, 0)")
        shoot(browser, "phone")


def shoot(browser: Page, name: str) -> None:
    """Save what the browser shows."""
    browser.driver.save_screenshot(str(FOLDER / f"{name}.png"))
    print(f"docs/screenshots/{name}.png")


if __name__ == "__main__":
    main()
