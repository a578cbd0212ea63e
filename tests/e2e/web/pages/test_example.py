"""A newcomer opens the example from an empty list, and its page is read."""

from __future__ import annotations

import pytest
from selenium import webdriver

from tests.conftest import StartServer
from tests.e2e.web.browser import missing, visit, web

pytest.importorskip("cv2", reason="pages are taken apart by OpenCV")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=f"{missing()} not installed"),
]


def test_the_example_opens(chromium: webdriver.Chrome, start_server: StartServer) -> None:
    with web(start_server().address) as place, visit(chromium, f"{place}/read") as page:
        page.open()
        page.wait_for(".empty button", "See an example")
        page.press(".empty button")
        page.wait(lambda: "sqp" in page.text("#view"), 120)
        assert "workspace “copiale”" in page.text("#status")
        assert not page.complaints()
