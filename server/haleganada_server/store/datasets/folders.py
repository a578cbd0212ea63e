"""Data sets on disk: DIR/datasets/<id>/{dataset.json, rasters.npy, labels.npy, parts.npy, writers.npy}; of lines
{dataset.json, pictures.npy, ends.npy, texts.txt, parts.npy, writers.npy}.

A data set is completed in DIR/tmp and renamed into place; it never changes afterwards. It is deleted by renaming it
away, so that it is complete or absent even after a kill.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from haleganada_server.core.datasets.dataset import (
    NONE_UNKNOWN,
    DatasetInfo,
    DatasetKind,
    DatasetNote,
    DatasetOptions,
    LabelCount,
    Part,
    RefusedDrawing,
    RepeatedDrawing,
)
from haleganada_server.core.datasets.datasets import DatasetBuilder
from haleganada_server.core.disk.checksum import NewerFormat, require_format, unseal
from haleganada_server.core.disk.files import scratch_folder
from haleganada_server.core.errors import NotFound
from haleganada_server.core.machine_errors import raise_machine_error
from haleganada_server.store import files
from haleganada_server.store.errors import storage_errors

from . import sources
from .builder import DATASET_JSON, FORMAT, DatasetFolderBuilder, folder_bytes
from .integrity import require_intact_arrays
from .line_builder import LineFolderBuilder
from .lines import find_lines

_log = logging.getLogger(__name__)
_OLD_DEFAULTS: dict[str, Any] = {  # missing in older data sets
    "leaked": (),
    "duplicated": (),
    "notes": (),
    "unknown": asdict(NONE_UNKNOWN),
    "kind": DatasetKind.DRAWINGS.value,
    "lines": asdict(NONE_UNKNOWN),
}
_ID = re.compile("[0-9a-f]{12}")
_FILES = {
    DatasetKind.DRAWINGS: ("rasters.npy", "labels.npy", "parts.npy", "writers.npy"),
    DatasetKind.LINES: ("pictures.npy", "ends.npy", "texts.txt", "parts.npy", "writers.npy"),
}


class DatasetFolders:
    """core.datasets.datasets.DatasetStore on a file system."""

    def __init__(self, root: Path, temporary_path: Callable[[], Path]) -> None:
        """root: DIR/datasets, created if it is missing. temporary_path: returns a new path on the same disk."""
        self._root, self._temporary_path = root, temporary_path
        self._checked: dict[str, list[tuple[int, int]]] = {}  # id -> times and sizes of the files that were checked
        root.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[DatasetInfo]:
        return [_load(folder) for folder in sorted(self._root.iterdir()) if _is_dataset(folder)]

    def news(self) -> tuple[list[DatasetInfo], list[str]]:
        return [], []  # nobody else changes the folders

    @contextmanager
    def builder(self, path: Path, file_name: str, options: DatasetOptions) -> Iterator[DatasetBuilder]:
        with storage_errors("the data sets"), scratch_folder(self._temporary_path()) as scratch:
            notes: list[DatasetNote] = []
            lines = find_lines(path, file_name, options.line_format)
            if lines is not None:
                yield LineFolderBuilder(lines, notes, scratch, lambda dataset_id: self._root / dataset_id)
                return
            entries = sources.read(
                path,
                file_name,
                options.orientation,
                notes.append,
                options.folder_names,
                options.small_letters,
                options.unknown_folder,
            )
            yield DatasetFolderBuilder(entries, notes, scratch, lambda dataset_id: self._root / dataset_id)

    def folder(self, dataset_id: str) -> Path:
        folder = self._find_folder(dataset_id)
        state = [(path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.iterdir())]
        if self._checked.get(dataset_id) != state:  # a large one takes a second
            info = _load(folder)
            info.require_sound()
            require_intact_arrays(folder, info)
            self._checked[dataset_id] = state
        return folder

    def _find_folder(self, dataset_id: str) -> Path:
        folder = self._root / dataset_id
        if Path(dataset_id).name != dataset_id or not folder.is_dir():
            raise NotFound("dataset", dataset_id, "list the data sets to see them")
        return folder

    def delete(self, dataset_id: str) -> None:
        with storage_errors("the data sets"):
            files.remove_folder(self._find_folder(dataset_id), self._temporary_path())
        self._checked.pop(dataset_id, None)


def _is_dataset(folder: Path) -> bool:
    """Return whether this is a folder that a server named; log other things that lie beside them."""
    if folder.is_dir() and _ID.fullmatch(folder.name):
        return True
    _log.error("datasets/%s is skipped: its name is not a data set's id", folder.name)
    return False


def _load(folder: Path) -> DatasetInfo:
    """Load a description; log and describe a damaged data set. The arrays are compared when they are used."""
    try:
        return load_description(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise_machine_error(error)
        if isinstance(error, NewerFormat):
            _log.error("the data set %s cannot be used: %s", folder.name, error)
            return _describe_unusable(folder, f"the data set {folder.name} cannot be used: {error}")
        why = (
            f"{Path(error.filename).name} cannot be read" if isinstance(error, OSError) else f"{DATASET_JSON}: {error}"
        )
        _log.error("the data set %s cannot be used and is listed as damaged: %s", folder.name, why)
        damage = (
            f"the data set {folder.name} is damaged ({why}) and cannot be used; models that were trained on it are not "
            "affected. Delete it and add it again"
        )
        return _describe_unusable(folder, damage)


def _describe_unusable(folder: Path, damage: str) -> DatasetInfo:
    return DatasetInfo(
        dataset_id=folder.name,
        name=folder.name,
        created_us=folder.stat().st_mtime_ns // 1000,
        sha256="",
        labels=(),
        writers=0,
        refused=(),
        refused_total=0,
        leaks=0,
        duplicates=0,
        bytes_on_disk=folder_bytes(folder),
        damage=damage,
    )


def load_description(folder: Path) -> DatasetInfo:
    """Load a description. Raises OSError, ValueError, KeyError or TypeError if the data set is incomplete or its
    description has changed since it was written.
    """
    info = parse_description((folder / DATASET_JSON).read_text(encoding="utf-8"), folder.name, folder_bytes(folder))
    for name in _FILES[info.kind]:
        (folder / name).stat()
    return info


def parse_description(text: str, dataset_id: str, size: int) -> DatasetInfo:
    """Parse the description of a data set that takes so many bytes. Raises ValueError, KeyError or TypeError if it has
    changed since it was written.
    """
    entry = unseal(json.loads(text))
    require_format(entry, FORMAT)
    if entry["dataset_id"] != dataset_id:
        raise ValueError(f"{DATASET_JSON} has the id {entry['dataset_id']}")
    entry = {**_OLD_DEFAULTS, **entry}
    kind = DatasetKind(entry["kind"])
    values = {field.name: entry[field.name] for field in fields(DatasetInfo) if field.name != "damage"}
    values["labels"] = tuple(LabelCount(**label) for label in entry["labels"])
    values["unknown"], values["lines"] = LabelCount(**entry["unknown"]), LabelCount(**entry["lines"])
    values["kind"] = kind
    values["refused"] = tuple(RefusedDrawing(**refused) for refused in entry["refused"])
    values["leaked"] = tuple(_parse_repeated(repeated) for repeated in entry["leaked"])
    values["duplicated"] = tuple(_parse_repeated(repeated) for repeated in entry["duplicated"])
    values["notes"] = tuple(DatasetNote(**{**note, "labels": tuple(note["labels"])}) for note in entry["notes"])
    return DatasetInfo(**{**values, "bytes_on_disk": size})


def _parse_repeated(entry: dict[str, Any]) -> RepeatedDrawing:
    parts = {name: Part(value) for name, value in entry.items() if name.endswith("part") and value is not None}
    return RepeatedDrawing(**{**entry, **parts})
