"""Data sets that all servers of a database have: each lists them all, and keeps a copy of those that it has used."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.datasets.assembly import Assembled
from haleganada_server.core.datasets.dataset import (
    DatasetInfo,
    DatasetKind,
    DatasetNote,
    DatasetOptions,
    ItemFacts,
    RefusedDrawing,
)
from haleganada_server.core.datasets.datasets import DatasetBuilder
from haleganada_server.core.errors import NotFound
from haleganada_server.store import files
from haleganada_server.store.datasets.builder import DATASET_JSON
from haleganada_server.store.datasets.folders import DatasetFolders, parse_description

from .catalog import Catalog, Entry

_log = logging.getLogger(__name__)


class SharedDatasets(DatasetFolders):
    """core.datasets.datasets.DatasetStore over the catalog of data sets."""

    def __init__(self, root: Path, temporary_path: Callable[[], Path], catalog: Catalog) -> None:
        """root, temporary_path: as for DatasetFolders. Makes the data sets in root those of all servers."""
        super().__init__(root, temporary_path)
        self._catalog = catalog
        self._following, self._fetching = threading.Lock(), threading.Lock()
        self._change = 0
        self._entries: dict[str, Entry] = {}
        known = {entry.object_id for entry in catalog.changed_after(0)}
        for info in super().all():
            if not (info.damage or info.dataset_id in known):
                self._publish(info.dataset_id)

    def all(self) -> list[DatasetInfo]:
        added, _ = self.news()
        listed = {info.dataset_id: info for info in super().all()}
        return list({**{info.dataset_id: info for info in added}, **listed}.values())

    def news(self) -> tuple[list[DatasetInfo], list[str]]:
        with self._following:
            added, removed = [], []
            for entry in self._catalog.changed_after(self._change):
                self._change = entry.change
                if entry.deleted:
                    self._entries.pop(entry.object_id, None)
                    self._remove_copy(entry.object_id)
                    removed.append(entry.object_id)
                else:
                    self._entries[entry.object_id] = entry
                    added.append(_describe(entry))
            return added, removed

    @contextmanager
    def builder(self, path: Path, file_name: str, options: DatasetOptions) -> Iterator[DatasetBuilder]:
        with super().builder(path, file_name, options) as builder:
            yield _PublishingBuilder(builder, self._publish_new)

    def folder(self, dataset_id: str) -> Path:
        entry = self._entries.get(dataset_id)
        if entry is not None and not (self._root / dataset_id).is_dir():
            with self._fetching:
                self._copy(entry)
        return super().folder(dataset_id)

    def delete(self, dataset_id: str) -> None:
        self._catalog.withdraw(dataset_id)
        with suppress(NotFound):  # this server has no copy
            super().delete(dataset_id)

    def _copy(self, entry: Entry) -> None:
        target, scratch = self._root / entry.object_id, self._temporary_path()
        try:
            if not target.is_dir():
                self._catalog.fetch(entry, scratch, target)
                files.sync_folder(self._root)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _publish_new(self, dataset_id: str) -> None:
        """Publish a data set that was just built; nothing is kept of it if that fails."""
        try:
            self._publish(dataset_id)
        except BaseException:
            self._remove_copy(dataset_id)
            raise

    def _publish(self, dataset_id: str) -> None:
        folder = self._root / dataset_id
        self._catalog.publish(dataset_id, folder, (folder / DATASET_JSON).read_text(encoding="utf-8"))

    def _remove_copy(self, dataset_id: str) -> None:
        with suppress(NotFound):
            super().delete(dataset_id)


class _PublishingBuilder:
    """core.datasets.datasets.DatasetBuilder that lets all servers have what another one builds."""

    def __init__(self, builder: DatasetBuilder, publish: Callable[[str], None]) -> None:
        self._builder, self._publish = builder, publish
        self.kind: DatasetKind = builder.kind

    @property
    def notes(self) -> Sequence[DatasetNote]:
        return self._builder.notes

    def items(self, cancellation: Cancellation = NEVER) -> Generator[ItemFacts | RefusedDrawing, None, None]:
        return self._builder.items(cancellation)

    def build(self, info: DatasetInfo, assembled: Assembled) -> DatasetInfo:
        built = self._builder.build(info, assembled)
        self._publish(built.dataset_id)
        return built


def _describe(entry: Entry) -> DatasetInfo:
    """Return what is known of a data set without its files; a damaged row says that."""
    size = sum(size for size, _ in entry.files.values())
    try:
        return parse_description(entry.description, entry.object_id, size)
    except (ValueError, KeyError, TypeError) as error:
        _log.error("the description of data set %s is damaged: %s", entry.object_id, error)
        return DatasetInfo(
            dataset_id=entry.object_id,
            name=entry.object_id,
            created_us=0,
            sha256="",
            labels=(),
            writers=0,
            refused=(),
            refused_total=0,
            leaks=0,
            duplicates=0,
            bytes_on_disk=size,
            damage=f"the description of data set {entry.object_id} is damaged; delete it and add it again",
        )
