"""What was taught, as a workspace's export has it: JSON lines, or the archive. No writers and no parts are known
then.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.core.workspaces.types import RefusedItem, TransferFormat
from haleganada_server.store import formats
from haleganada_server.vision import PillowRasterizer

from .source_item import RefusedSource, SourceItem, label_name


def read(path: Path, form: TransferFormat) -> Iterator[SourceItem | RefusedSource]:
    """Each sample under the label that it was taught with, whatever that stands for. Raises InvalidInput for an archive
    that is damaged or of a newer version.
    """
    for item in formats.read(path, form, PillowRasterizer()):
        yield _item(item)


def _item(item: ImportItem | RefusedItem) -> SourceItem | RefusedSource:
    if isinstance(item, RefusedItem):
        error = item.error
        return RefusedSource(
            item.item, error if isinstance(error, HaleganadaError) else InvalidInput("file", str(error))
        )
    found = label_name(item.label, item.label)
    if found.error is not None:
        return RefusedSource(item.item, found.error)
    return SourceItem(item.item, found.label, found.label, item.glyph)
