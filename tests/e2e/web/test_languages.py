"""A further language of the page is one file and one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import haleganada_client.web as web_package
import pytest
from haleganada_client import HaleganadaClient
from haleganada_client.web import create_app
from selenium import webdriver
from waitress.server import create_server

from tests.conftest import RunningServer
from tests.e2e.web.browser import missing, visit
from tests.support.network.web_server import run_in_thread

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]
STATIC = Path(web_package.__file__).parent / "static"


def add_toy_language(static: Path) -> None:
    """Add a language, English in brackets, in the way that languages.js tells."""
    english = json.loads((static / "i18n" / "en.json").read_text(encoding="utf-8"))
    toy = {word: f"[{text}]" for word, text in english.items()}
    (static / "i18n" / "toy.json").write_text(json.dumps(toy), encoding="utf-8")
    registry = static / "i18n" / "languages.js"
    kannada = '  kn: "ಕನ್ನಡ",\n'
    text = registry.read_text(encoding="utf-8")
    assert kannada in text
    registry.write_text(text.replace(kannada, kannada + '  toy: "Toy",\n'), encoding="utf-8")


@contextmanager
def web(server: RunningServer, static: Path) -> Iterator[str]:
    """The page with other static files, in a thread; its address."""
    with HaleganadaClient(server.address) as client:
        app = create_app(client)
        app.static_folder = str(static)
        with run_in_thread(create_server(app, host="127.0.0.1", port=0, threads=8)) as address:
            yield f"http://{address}"


def test_a_further_language(server: RunningServer, chromium: webdriver.Chrome, tmp_path: Path) -> None:
    static = tmp_path / "static"
    shutil.copytree(STATIC, static)
    add_toy_language(static)
    with web(server, static) as address, visit(chromium, address) as page:
        page.open_afresh()
        page.choose_language("toy")
        page.wait_for("#decision", "[Teach me a character]")
        assert page.text("#teach-button") == "[Teach]" and page.text("#language option:checked") == "Toy"
        page.open()
        page.wait_for("#decision", "[Teach me a character]")  # remembered
        page.press("#to-models")
        page.wait_for("#view", "[Model that answers in")
        assert not page.complaints()
