"""The page in a browser, as most tests of it use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.web.browser import Page, page


@pytest.fixture(scope="module")
def opened() -> Iterator[Page]:
    with page() as in_browser:
        yield in_browser


@pytest.fixture
def fresh(opened: Page) -> Page:
    """The page as on a first visit, with an empty workspace."""
    opened.complaints()
    opened.open_afresh()
    return opened
