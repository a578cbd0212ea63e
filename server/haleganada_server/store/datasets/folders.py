"""Data sets on disk: DIR/datasets/<id>/{dataset.json, rasters.npy, labels.npy, parts.npy, writers.npy}.

A data set is completed in DIR/tmp and renamed into place; it never changes afterwards. It is deleted by renaming it
away, so that it is complete or absent even after a kill.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from haleganada_server.core.datasets.dataset import (
    DatasetInfo,
    DatasetNote,
    DatasetOptions,
    LabelCount,
    Part,
    RefusedDrawing,
    RepeatedDrawing,
)
from haleganada_server.core.errors import NotFound
from haleganada_server.core.files import scratch_folder
from haleganada_server.store import files
from haleganada_server.store.errors import storage_errors

from . import sources
from .builder import DATASET_JSON, FORMAT, DatasetFolderBuilder, folder_bytes

_log = logging.getLogger(__name__)
_OLD_DEFAULTS: dict[str, Any] = {"leaked": (), "duplicated": (), "notes": ()}  # missing in older data sets
_ARRAYS = ("rasters.npy", "labels.npy", "parts.npy", "writers.npy")


class DatasetFolders:
    """core.datasets.datasets.DatasetStore on a file system."""

    def __init__(self, root: Path, temporary_path: Callable[[], Path]) -> None:
        """root: DIR/datasets, created if it is missing. temporary_path: returns a new path on the same disk."""
        self._root, self._temporary_path = root, temporary_path
        root.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[DatasetInfo]:
        found = []
        for folder in sorted(self._root.iterdir()):
            try:
                found.append(_load(folder))
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.error("the data set in %s cannot be read and is skipped: %s", folder.name, error)
        return found

    @contextmanager
    def builder(self, path: Path, file_name: str, options: DatasetOptions) -> Iterator[DatasetFolderBuilder]:
        with storage_errors("the data sets"), scratch_folder(self._temporary_path()) as scratch:
            notes: list[DatasetNote] = []
            entries = sources.read(path, file_name, options.orientation, notes.append)
            yield DatasetFolderBuilder(entries, notes, scratch, lambda dataset_id: self._root / dataset_id)

    def folder(self, dataset_id: str) -> Path:
        folder = self._root / dataset_id
        if Path(dataset_id).name != dataset_id or not folder.is_dir():
            raise NotFound("dataset", dataset_id, "list the data sets to see them")
        return folder

    def delete(self, dataset_id: str) -> None:
        with storage_errors("the data sets"):
            files.remove_folder(self.folder(dataset_id), self._temporary_path())


def _load(folder: Path) -> DatasetInfo:
    """Load a description. Raises OSError, ValueError, KeyError or TypeError if the data set is incomplete."""
    entry = json.loads((folder / DATASET_JSON).read_text(encoding="utf-8"))
    if entry["format"] != FORMAT or entry["dataset_id"] != folder.name:
        raise ValueError(f"{DATASET_JSON} has format {entry['format']} and the id {entry['dataset_id']}")
    for name in _ARRAYS:
        (folder / name).stat()
    entry = {**_OLD_DEFAULTS, **entry}
    values = {field.name: entry[field.name] for field in fields(DatasetInfo)}
    values["labels"] = tuple(LabelCount(**label) for label in entry["labels"])
    values["refused"] = tuple(RefusedDrawing(**refused) for refused in entry["refused"])
    values["leaked"] = tuple(_parse_repeated(repeated) for repeated in entry["leaked"])
    values["duplicated"] = tuple(_parse_repeated(repeated) for repeated in entry["duplicated"])
    values["notes"] = tuple(DatasetNote(**{**note, "labels": tuple(note["labels"])}) for note in entry["notes"])
    return DatasetInfo(**{**values, "bytes_on_disk": folder_bytes(folder)})


def _parse_repeated(entry: dict[str, Any]) -> RepeatedDrawing:
    parts = {name: Part(value) for name, value in entry.items() if name.endswith("part") and value is not None}
    return RepeatedDrawing(**{**entry, **parts})
