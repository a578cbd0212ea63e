"""Helpers that sort what the readers of data sets yield."""

from __future__ import annotations

from pathlib import Path

from haleganada_server.core.datasets.dataset import Orientation
from haleganada_server.store.datasets.sources import RefusedSource, SourceItem, read


def read_all(path: Path, file_name: str = "", orientation: Orientation = Orientation.AUTO) -> list[SourceItem]:
    """Return all items, and check that none was refused."""
    items = []
    for item in read(path, file_name or path.name, orientation):
        assert isinstance(item, SourceItem), f"{item.item}: {item.error}"
        items.append(item)
    return items


def read_refused(path: Path) -> dict[str, str]:
    """Return name -> message of the refused items."""
    found = read(path, path.name, Orientation.AUTO)
    return {item.item: item.error.message for item in found if isinstance(item, RefusedSource)}
