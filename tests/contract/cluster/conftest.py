"""Servers that share a database and a folder of objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import RunningServer, StartServer


@pytest.fixture
def pair(
    start_server: StartServer, database_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[RunningServer]:
    """Two servers on one database, with one folder of objects."""
    objects = str(tmp_path / "objects")
    return [
        start_server(store=database_url, objects=objects, data_dir=tmp_path_factory.mktemp("data")) for _ in range(2)
    ]
