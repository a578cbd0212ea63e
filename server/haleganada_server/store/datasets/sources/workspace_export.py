"""Samples of a workspace's export, JSON lines or an archive; they have no writers and no parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from haleganada_server.core.errors import HaleganadaError, InvalidInput
from haleganada_server.core.workspaces.ports import ImportItem
from haleganada_server.core.workspaces.types import RefusedItem, TransferFormat
from haleganada_server.store import formats
from haleganada_server.vision import PillowRasterizer

from .source_item import RefusedSource, SourceItem, make_label_name


def read(path: Path, transfer_format: TransferFormat) -> Iterator[SourceItem | RefusedSource]:
    """Yield each sample with the label it was taught with, not the canonical one. Raises InvalidInput for an archive
    that is damaged or from a newer version.
    """
    for item in formats.read(path, transfer_format, PillowRasterizer()):
        yield _convert(item)


def _convert(item: ImportItem | RefusedItem) -> SourceItem | RefusedSource:
    if isinstance(item, RefusedItem):
        error = item.error
        return RefusedSource(
            item.item, error if isinstance(error, HaleganadaError) else InvalidInput("file", str(error))
        )
    found = make_label_name(item.label, item.label)
    if found.error is not None:
        return RefusedSource(item.item, found.error)
    return SourceItem(item=item.item, label=found.label, folder=found.label, image=item.glyph)
