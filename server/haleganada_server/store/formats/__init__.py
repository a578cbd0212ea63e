"""Formats for exporting and importing a workspace, one file each. Nothing is ever unpacked to disk."""

from __future__ import annotations

import codecs
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from haleganada_server.core.disk import zip_files
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.glyphs.ports import Rasterizer
from haleganada_server.core.workspaces.ports import ExportFile, ImportItem, OnNote, ignore_note
from haleganada_server.core.workspaces.types import RefusedItem, TransferFormat
from haleganada_server.store.sample_log.reader import LogReader

from . import archive, image_folder, jsonl, seed_files

_WRITERS: dict[TransferFormat, Callable[[LogReader, Rasterizer, Path], None]] = {
    TransferFormat.ARCHIVE: archive.write,
    TransferFormat.SEED_FILES: seed_files.write,
    TransferFormat.JSONL: jsonl.write,
    TransferFormat.IMAGE_FOLDER: image_folder.write,
}
_READERS: dict[TransferFormat, Callable[[Path, Rasterizer], Iterator[ImportItem | RefusedItem]]] = {
    TransferFormat.ARCHIVE: archive.read,
    TransferFormat.JSONL: jsonl.read,
}


def write(log: LogReader, rasterizer: Rasterizer, transfer_format: TransferFormat, path: Path) -> ExportFile:
    """Export a workspace to a new file at `path`. `log` must not change during that."""
    try:
        _WRITERS[transfer_format](log, rasterizer, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    is_zip = transfer_format is not TransferFormat.JSONL
    name = f"haleganada-{transfer_format.value}-{time.strftime('%Y%m%d-%H%M%S')}.{'zip' if is_zip else 'jsonl'}"
    kind = "application/zip" if is_zip else "application/jsonl"
    return ExportFile(
        path=path,
        format=transfer_format,
        file_name=name,
        content_type=kind,
        revision=log.revision(),
        samples_total=log.count(),
    )


def read(
    path: Path,
    transfer_format: TransferFormat | None,
    rasterizer: Rasterizer,
    folder_names: FolderNames = FolderNames.AUTO,
    on_note: OnNote = ignore_note,
) -> Iterator[ImportItem | RefusedItem]:
    """Yield the items of a file. transfer_format: None = detect it. folder_names, on_note: see image_folder.read.

    Raises InvalidInput for an unknown format.
    """
    transfer_format = transfer_format or _detect(path)
    if transfer_format in _READERS:
        return _READERS[transfer_format](path, rasterizer)
    return image_folder.read(path, folder_names, on_note)


def _detect(path: Path) -> TransferFormat:
    with path.open("rb") as file:
        start = file.read(4096)
    if start.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return TransferFormat.JSONL
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InvalidInput("file", "is text in UTF-16; save it as UTF-8")
    if not zipfile.is_zipfile(path):
        raise InvalidInput("file", "is neither an archive, a zip of labeled images, nor JSON lines")
    with zip_files.open_zip(path) as zipped:
        return TransferFormat.ARCHIVE if archive.MANIFEST in zipped.namelist() else TransferFormat.IMAGE_FOLDER
