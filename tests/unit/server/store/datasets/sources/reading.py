"""Taking apart what the readers of data sets give."""

from __future__ import annotations

from pathlib import Path

from haleganada_server.core.datasets.dataset import Orientation
from haleganada_server.store.datasets.sources import RefusedSource, SourceItem, read


def good(path: Path, file_name: str = "", orientation: Orientation = Orientation.AUTO) -> list[SourceItem]:
    """All items, none of which was refused."""
    items = []
    for item in read(path, file_name or path.name, orientation):
        assert isinstance(item, SourceItem), f"{item.item}: {item.error}"
        items.append(item)
    return items


def refused(path: Path) -> dict[str, str]:
    """Name -> message of those that were refused."""
    found = read(path, path.name, Orientation.AUTO)
    return {item.item: item.error.message for item in found if isinstance(item, RefusedSource)}
