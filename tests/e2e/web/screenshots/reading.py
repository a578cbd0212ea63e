"""The pictures of the page that reads, for __main__.py: two letters that are drawn here, with shadow and slope."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.e2e.processes import server
from tests.e2e.web.browser import Page, browser, web

FONTS = Path("/usr/share/fonts/truetype")
KANNADA = FONTS / "noto" / "NotoSerifKannada-Regular.ttf"
_LATIN = FONTS / "noto" / "NotoSerif-Regular.ttf"
LETTERS = {
    "ಅಜ್ಜಿಯ ಕಾಗದ.jpg": (
        KANNADA,
        "ಪ್ರೀತಿಯ ಆಶಾ,\n\nಮಾವಿನ ಮರ ಈ ವರ್ಷ ತುಂಬಾ ಹೂ ಬಿಟ್ಟಿದೆ.\nಮಳೆ ಬಂದರೆ ಹಣ್ಣು ಬೇಗ ಆಗುತ್ತದೆ ಎಂದು\n"
        "ಅಪ್ಪ ಹೇಳುತ್ತಾರೆ. ನೀನು ರಜೆಯಲ್ಲಿ ಬರುವಾಗ\nಹಳೆಯ ಪುಸ್ತಕವನ್ನು ಮರೆಯದೆ ತಾ.\n\nನಿನ್ನ ಅಜ್ಜಿ",
    ),
    "letter.jpg": (
        _LATIN,
        "Dear Asha,\n\nThe mango tree is full of blossom this year.\nFather says that the fruit will come early\n"
        "if it rains. When you come in the holidays,\ndo not forget to bring the old book.\n\nYour grandmother",
    ),
}
_WIDTH, _HEIGHT, _MARGIN_PX, _SIZE_PX = 1500, 1050, 130, 50
_SLOPE_DEGREES = 1.8
_LONG_S = 600.0
Shoot = Callable[[Page, str, str], None]


def shoot_reading(shoot: Shoot) -> None:
    """Take all pictures. shoot(page, name, part): saves one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(server(folder / "data"))
        page = stack.enter_context(browser(stack.enter_context(web(running.address)) + "/read"))
        _desk(page, folder, shoot)
        _viewer(page, shoot)


def _desk(page: Page, folder: Path, shoot: Shoot) -> None:
    page.open(width=1280, height=900, ratio=1.5)
    page.wait(lambda: page.all("#documents"))
    paths = [draw_letter(folder / name, font, text) for name, (font, text) in LETTERS.items()]
    page.find("#documents").send_keys("\n".join(map(str, paths)))
    page.wait(lambda: len(page.all(".queue a.primary")) == len(paths), _LONG_S)
    page.open(width=1280, height=900, ratio=1.5)
    page.wait_for("#view section", "Asha")
    shoot(page, "read", "")


def _viewer(page: Page, shoot: Shoot) -> None:
    links = [link.get_attribute("href") or "" for link in page.all("#view section a.title")]
    kannada = next(link for link in links if "ಕಾಗದ" in page.run(_NAME, link))
    place = kannada.partition("#")[2]
    for name, scheme, window in (
        ("reading", "light", {"width": 1280, "height": 900, "ratio": 1.5}),
        ("reading-dark", "dark", {"width": 1280, "height": 900, "ratio": 1.5}),
        ("reading-phone", "light", {"width": 390, "height": 844, "ratio": 2, "mobile": True}),
    ):
        page.prefer(scheme)
        page.go(place, **window)
        page.wait(lambda: page.run(_IS_DRAWN))
        page.all("#text .word")[4].click()
        shoot(page, name, "")
    page.prefer("light")


_NAME = (
    "return [...document.querySelectorAll('#view section a.title')].find((a) => a.href === arguments[0]).textContent"
)
_IS_DRAWN = "return Boolean(document.querySelector('#scan img')?.naturalWidth)"


def draw_letter(path: Path, font: Path, text: str) -> Path:
    """Draw a page as a photo of it would be: lines that slope, a shadow. Returns the path."""
    page = Image.new("L", (_WIDTH, _HEIGHT), 255)
    letters = ImageFont.truetype(font, _SIZE_PX)
    ImageDraw.Draw(page).multiline_text((_MARGIN_PX, _MARGIN_PX), text, 30, letters, spacing=_SIZE_PX * 0.55)
    sloped = np.asarray(page.rotate(_SLOPE_DEGREES, Image.Resampling.BICUBIC, fillcolor=255), np.float32)
    shadow = np.linspace(0.72, 1.0, _WIDTH, dtype=np.float32)
    grain = np.random.default_rng(1).normal(0, 5, sloped.shape).astype(np.float32)
    Image.fromarray(np.clip(sloped * shadow * 0.97 + grain, 0, 255).astype(np.uint8)).save(path, quality=88)
    return path
