"""The pictures of a page in a script that only its reader knows, for __main__.py: the example of the Copiale cipher."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from haleganada_client import HaleganadaClient
from haleganada_client.examples import open_example

from tests.e2e.processes import server
from tests.e2e.web.browser import Page, browser, web

Shoot = Callable[[Page, str, str], None]


def shoot_taught(shoot: Shoot) -> None:
    """Take all pictures. shoot(page, name, part): saves one."""
    with ExitStack() as stack:
        running = stack.enter_context(server(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        with HaleganadaClient(running.address) as client:
            example = open_example(client, "copiale")
        page = stack.enter_context(browser(stack.enter_context(web(running.address)) + "/read"))
        for name, scheme, window in (
            ("cipher", "light", {"width": 1440, "height": 1000, "ratio": 1.5}),
            ("cipher-dark", "dark", {"width": 1440, "height": 1000, "ratio": 1.5}),
            ("cipher-phone", "light", {"width": 390, "height": 844, "ratio": 2, "mobile": True}),
        ):
            page.prefer(scheme)
            page.go(f"reading/{example.reading_id}", **window)
            page.wait_for(".glyph-panel", "What is this?")
            page.wait(lambda: page.run("return document.querySelector('.sheet img')?.naturalWidth > 0"))
            shoot(page, name, "")
        page.prefer("light")
