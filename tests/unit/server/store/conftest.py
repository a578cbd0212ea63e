"""A data directory for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog
from haleganada_server.vision import PillowRasterizer


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Path of the data directory."""
    return tmp_path / "data"


@pytest.fixture
def directory(data: Path) -> Iterator[DataDirectory]:
    """An empty data directory."""
    opened = DataDirectory(data, PillowRasterizer())
    yield opened
    opened.close()


@pytest.fixture
def log(directory: DataDirectory) -> Iterator[SqliteLog]:
    """The log of the new workspace “w”."""
    created = directory.create("w")
    yield created
    created.close()
