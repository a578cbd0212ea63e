"""Engines, as far as they are installed."""

from __future__ import annotations

import pytest
from haleganada_server.reading.engines import find_engine
from haleganada_server.reading.engines.port import TextEngine


@pytest.fixture
def rapidocr() -> TextEngine:
    return _require_installed("rapidocr")


@pytest.fixture
def tesseract() -> TextEngine:
    return _require_installed("tesseract")


def _require_installed(name: str) -> TextEngine:
    engine = find_engine(name)
    info = engine.describe()
    if not info.installed:
        pytest.skip(f"{name} is not installed: {info.install_hint}")
    return engine
