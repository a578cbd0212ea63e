"""All data sets of a server: read once, found by id or by a unique name, never changed."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, NotFound, Precondition
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import MAX_LISTED_ITEMS, SPLIT_SHARE

from .assembly import Assembled, Refusals, assemble
from .dataset import DatasetInfo, DatasetNote, DatasetOptions, ItemFacts, RefusedDrawing

FILE_ENDINGS = (".zip", ".npz", ".jsonl")
_ID_BYTES = 6


class DatasetBuilder(Protocol):
    """A source that is being read: first all its items, then what was chosen of them is kept."""

    def items(self) -> Generator[ItemFacts | RefusedDrawing, None, None]:
        """Every item once. Raises InvalidInput if the source as a whole cannot be read, Exhausted without room."""

    @property
    def notes(self) -> Sequence[DatasetNote]:
        """What is to be known of the source; complete once all items were read."""

    def keep(self, info: DatasetInfo, assembled: Assembled) -> DatasetInfo:
        """Put the data set in place; its sha256 and bytes_on_disk are filled in. Raises Exhausted."""


class DatasetStore(Protocol):
    """Data sets on disk."""

    def all(self) -> list[DatasetInfo]:
        """Every data set that can be read, in any order."""

    def reading(self, path: Path, file_name: str, options: DatasetOptions) -> AbstractContextManager[DatasetBuilder]:
        """Read a file or folder; what was begun is removed when the block ends. file_name: what its owner calls it.
        Raises InvalidInput.
        """

    def folder(self, dataset_id: str) -> Path:
        """Where a data set lies."""

    def delete(self, dataset_id: str) -> None:
        """Remove a data set for good."""


class UploadStore(Protocol):
    """Where files arrive that are sent in pieces, named by the SHA-256 of the whole."""

    def received(self, sha256: str) -> int:
        """Bytes that have arrived; 0 if nothing is known of it."""

    def receive(self, sha256: str, offset: int, chunks: Iterable[bytes], is_complete: Callable[[], bool] = ...) -> Path:
        """Append the chunks; the file once it is whole. Raises InvalidInput, Exhausted, AlreadyExists."""

    def remove(self, sha256: str) -> None:
        """Forget an upload."""


class Datasets:
    """The data sets. Safe from any thread."""

    def __init__(self, store: DatasetStore, in_use: Callable[[str], bool]) -> None:
        """in_use: whether a job that is not over needs the data set with this id."""
        self._store = store
        self._in_use = in_use
        self._lock = threading.Lock()
        self._known = {info.dataset_id: info for info in store.all()}

    def add(self, path: Path, file_name: str, options: DatasetOptions, wanted: Callable[[], bool]) -> DatasetInfo:
        """Read a file or folder and keep what it holds. wanted: asked now and then whether to go on.

        Raises InvalidInput for options out of range, a source that cannot be read, or one with fewer than two labels;
        Exhausted without room.
        """
        options = validate_options(options)
        refusals, items = Refusals(), list[ItemFacts]()
        with self._store.reading(path, file_name, options) as source:
            with closing(source.items()) as entries:
                for entry in entries:
                    if isinstance(entry, RefusedDrawing):
                        refusals.add(entry)
                    else:
                        items.append(entry)
                    if not wanted():
                        raise Precondition("the caller went away; nothing was kept", Reason.CALLER_GONE)
            assembled = assemble(items, options, refusals)
            info = source.keep(_described(options, assembled, refusals, source.notes), assembled)
        with self._lock:
            self._known[info.dataset_id] = info
        return info

    def get(self, id_or_name: str) -> DatasetInfo:
        """A data set by its id, or by its name if no other has it. Raises NotFound, InvalidInput."""
        with self._lock:
            if id_or_name in self._known:
                return self._known[id_or_name]
            named = [info for info in self._known.values() if info.name == id_or_name]
        if not named:
            raise NotFound("dataset", id_or_name, "list the data sets that there are, as `haleganada datasets` does")
        if len(named) > 1:
            ids = ", ".join(sorted(info.dataset_id for info in named))
            raise InvalidInput("dataset_id", f"is a name that several data sets have; give one of the ids {ids}")
        return named[0]

    def folder(self, dataset_id: str) -> Path:
        """Where a data set lies, for a job to read."""
        return self._store.folder(dataset_id)

    def page(self, after: str = "", limit: int = 50) -> list[DatasetInfo]:
        """At most `limit` data sets, the newest first, from the one behind the id `after`. Raises InvalidInput if
        that one is gone.
        """
        with self._lock:
            listed = sorted(self._known.values(), key=lambda info: (-info.created_us, info.dataset_id))
        ids = [info.dataset_id for info in listed]
        if after and after not in ids:
            raise InvalidInput("page_token", "belongs to a data set that is gone; begin again without it")
        start = ids.index(after) + 1 if after else 0
        return listed[start : start + limit]

    def delete(self, dataset_id: str) -> None:
        """Remove a data set. Raises NotFound, Precondition while a job uses it."""
        if self._in_use(dataset_id):  # outside the lock: jobs ask for data sets under a lock of their own
            raise Precondition(
                "a job uses this data set; cancel the job, or wait until it is over", Reason.DATASET_IN_USE
            )
        with self._lock:
            if self._known.pop(dataset_id, None) is None:
                raise NotFound("dataset", dataset_id, "give its id; list the data sets that there are")
        self._store.delete(dataset_id)


def require_known_format(file_name: str) -> None:
    """Raises InvalidInput for a file whose name does not end as those that can be read."""
    if not file_name.lower().endswith(FILE_ENDINGS):
        raise InvalidInput("file_name", f"does not end with {' or '.join(FILE_ENDINGS)}; zip a folder to send it")


def validate_options(options: DatasetOptions) -> DatasetOptions:
    """The options with a normalized name. Raises InvalidInput for what is out of range."""
    for field in ("validation_share", "test_share"):
        share = getattr(options, field)
        if not SPLIT_SHARE.includes(share):
            raise InvalidInput(f"options.{field}", f"is {share:g}; give {SPLIT_SHARE}")
    return replace(options, name=normalize_label(options.name, "options.name"))


def _described(
    options: DatasetOptions, assembled: Assembled, refusals: Refusals, notes: Sequence[DatasetNote]
) -> DatasetInfo:
    return DatasetInfo(
        dataset_id=secrets.token_hex(_ID_BYTES),
        name=options.name,
        created_us=time.time_ns() // 1000,
        sha256="",
        labels=assembled.labels,
        writers=assembled.writers,
        refused=tuple(refusals.kept),
        refused_total=refusals.total,
        leaks=len(assembled.leaked),
        duplicates=assembled.duplicates,
        leaked=tuple(assembled.leaked[:MAX_LISTED_ITEMS]),
        duplicated=tuple(assembled.duplicated[:MAX_LISTED_ITEMS]),
        notes=tuple(notes),
    )
