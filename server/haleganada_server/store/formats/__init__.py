"""The forms in which a workspace leaves and enters: one file each. Nothing is ever unpacked to disk."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.ports import ExportFile, ImportItem, InkReader, WorkspaceLog
from haleganada_server.core.types import Refused, TransferFormat

from . import archive, image_folder, jsonl, seed_files
from .seed_files import write_seed_folder

__all__ = ["read", "write", "write_seed_folder"]

_WRITERS: dict[TransferFormat, Callable[[WorkspaceLog, InkReader, Path], None]] = {
    TransferFormat.ARCHIVE: archive.write,
    TransferFormat.SEED_FILES: seed_files.write,
    TransferFormat.JSONL: jsonl.write,
    TransferFormat.IMAGE_FOLDER: image_folder.write,
}
_READERS: dict[TransferFormat, Callable[[Path], Iterator[ImportItem | Refused]]] = {
    TransferFormat.ARCHIVE: archive.read,
    TransferFormat.JSONL: jsonl.read,
    TransferFormat.IMAGE_FOLDER: image_folder.read,
}


def write(log: WorkspaceLog, ink: InkReader, form: TransferFormat, path: Path) -> ExportFile:
    """Write everything that the workspace knows to a new file at `path`."""
    try:
        _WRITERS[form](log, ink, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    is_zip = form is not TransferFormat.JSONL
    name = f"haleganada-{form.value}-{time.strftime('%Y%m%d-%H%M%S')}.{'zip' if is_zip else 'jsonl'}"
    kind = "application/zip" if is_zip else "application/jsonl"
    return ExportFile(path, form, name, kind, log.revision(), log.count())


def read(path: Path, form: TransferFormat | None) -> Iterator[ImportItem | Refused]:
    """The items of a file; form None: found out from it. Raises InvalidInput if it is none that can be read."""
    form = form or _detect(path)
    if form not in _READERS:
        raise InvalidInput("format", "the seed files cannot be imported; export an archive instead")
    if form is not TransferFormat.JSONL and not zipfile.is_zipfile(path):
        raise InvalidInput("file", "is not a zip file, or not a whole one")
    return _READERS[form](path)


def _detect(path: Path) -> TransferFormat:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            known = archive.MANIFEST in file.namelist()
        return TransferFormat.ARCHIVE if known else TransferFormat.IMAGE_FOLDER
    with path.open("rb") as file:
        if file.read(4096).lstrip().startswith(b"{"):
            return TransferFormat.JSONL
    raise InvalidInput("file", "is neither an archive, a zip of labelled images, nor JSON lines")
