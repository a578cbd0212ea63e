"""A workspace with a little of everything, for exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.core.workspaces.types import RefusedItem, TransferFormat
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog

from tests.unit.server.store.rows import teach

Read = Callable[[Path], list[ImportItem | RefusedItem]]


@pytest.fixture
def taught(log: SqliteLog) -> SqliteLog:
    """Four live samples of three labels, strokes and rasters, one of them a variant; a fifth was forgotten."""
    with log.transaction() as transaction:
        for label, kind in (("ಕ", "ink"), ("ಕ್", "png"), ("../<b>", "ink"), ("ಕ", "png"), ("forgotten", "ink")):
            teach(transaction, label, kind=kind)
        transaction.set_forgotten(5, True)
        transaction.set_canonical("ಕ್", "ಕ")
    return log


@pytest.fixture
def export(directory: DataDirectory, taught: SqliteLog, tmp_path: Path) -> Callable[[TransferFormat], Path]:
    """Return a function that exports that workspace to a file of the test."""

    def write(form: TransferFormat) -> Path:
        exported = directory.export(taught, form)
        assert (exported.format, exported.revision, exported.samples_total) == (form, 5, 4)
        path = exported.path.replace(tmp_path / exported.file_name)
        exported.close()
        return path

    return write


@pytest.fixture
def read(directory: DataDirectory) -> Read:
    """Return a function that reads all items of a file, and detects its format."""
    return lambda path: list(directory.read_import(path, None))
