"""All data sets of a server: imported once, found by id or by a unique name, never changed."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from haleganada_server.core.cancellation import NEVER, Cancellation
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, InvalidInput, NotFound, Precondition, Unavailable
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import MAX_LISTED_ITEMS, SPLIT_SHARE

from .assembly import Assembled, Refusals, assemble
from .dataset import (
    DatasetInfo,
    DatasetKind,
    DatasetNote,
    DatasetOptions,
    ItemFacts,
    LabelCount,
    Part,
    RefusedDrawing,
)

FILE_SUFFIXES = (".zip", ".npz", ".jsonl")
_ID_BYTES = 6
_SHOWN_LABELS, _SHOWN_CHARACTERS = 3, 200


class DatasetBuilder(Protocol):
    """Builds a data set from a source: first read all its items, then build the data set from a selection of them.
    kind: of the data set, which the source decides.
    """

    kind: DatasetKind

    def items(self, cancellation: Cancellation = NEVER) -> Generator[ItemFacts | RefusedDrawing, None, None]:
        """Yield every item once. Raises InvalidInput if the source as a whole cannot be read, Exhausted if the disk is
        full, Cancelled or DeadlineExceeded if the caller gives up.
        """

    @property
    def notes(self) -> Sequence[DatasetNote]:
        """Caveats about the source; complete once all items were read."""

    def build(self, info: DatasetInfo, assembled: Assembled) -> DatasetInfo:
        """Put the data set in place, and fill in its sha256 and bytes_on_disk. Raises Exhausted."""


class DatasetStore(Protocol):
    """Data sets on disk."""

    def all(self) -> list[DatasetInfo]:
        """Return all data sets, in any order, also damaged ones; log those."""

    def news(self) -> tuple[list[DatasetInfo], list[str]]:
        """Return the data sets that other servers have added since the last call, and the ids of those that were
        deleted; nothing where one server alone has them. Raises Unavailable.
        """

    def builder(self, path: Path, file_name: str, options: DatasetOptions) -> AbstractContextManager[DatasetBuilder]:
        """Return a builder for a file or folder; unfinished files are removed when the block ends. file_name: the
        sender's name for it. Raises InvalidInput.
        """

    def folder(self, dataset_id: str) -> Path:
        """Return the folder of a data set. Raises NotFound, DataLoss if its files are not those that were written."""

    def delete(self, dataset_id: str) -> None:
        """Remove a data set for good, also a damaged one. Raises NotFound, Exhausted."""


class UploadStore(Protocol):
    """Files that are uploaded in several calls, named by the SHA-256 of the complete file."""

    def bytes_received(self, sha256: str) -> int:
        """Return the number of bytes received; 0 for an unknown upload."""

    def receive(self, sha256: str, offset: int, chunks: Iterable[bytes], is_complete: Callable[[], bool] = ...) -> Path:
        """Append the chunks and return the complete file. Raises InvalidInput, Exhausted, AlreadyExists,
        Unavailable.
        """

    def remove(self, sha256: str) -> None:
        """Remove an upload."""


class Datasets:
    """The data sets. Safe from any thread."""

    def __init__(self, store: DatasetStore, in_use: Callable[[str], bool]) -> None:
        """in_use: returns whether a job that is not over needs the data set with this id."""
        self._store = store
        self._in_use = in_use
        self._lock = threading.Lock()
        self._datasets = {info.dataset_id: info for info in store.all()}

    def add(
        self, path: Path, file_name: str, options: DatasetOptions, cancellation: Cancellation = NEVER
    ) -> DatasetInfo:
        """Import a file or folder.

        Raises InvalidInput for options out of range, a source that cannot be read, or one with fewer than two labels;
        Exhausted if the disk is full; Cancelled or DeadlineExceeded, having kept nothing, if the caller gives up.
        """
        options = validate_options(options)
        refusals, items = Refusals(), list[ItemFacts]()
        with self._store.builder(path, file_name, options) as builder:
            with closing(builder.items(cancellation)) as entries:
                for entry in entries:
                    if isinstance(entry, RefusedDrawing):
                        refusals.add(entry)
                    else:
                        items.append(entry)
                    cancellation.check()
            cancellation.check()
            assembled = assemble(items, options, refusals, builder.kind)
            notes = [*builder.notes, *_note_shared(items, assembled, builder.kind)]
            info = builder.build(_describe(options, assembled, refusals, notes, builder.kind), assembled)
        with self._lock:
            self._datasets[info.dataset_id] = info
        return info

    def get(self, id_or_name: str) -> DatasetInfo:
        """Return a data set by its id, or by its name if that is unique. Raises NotFound, InvalidInput."""
        self._follow()
        with self._lock:
            if id_or_name in self._datasets:
                return self._datasets[id_or_name]
            named = [info for info in self._datasets.values() if info.name == id_or_name]
        if not named:
            raise NotFound("dataset", id_or_name, "list the data sets, as `haleganada datasets` does")
        if len(named) > 1:
            ids = ", ".join(sorted(info.dataset_id for info in named))
            raise InvalidInput("dataset_id", f"is the name of several data sets; give one of the ids {ids}")
        return named[0]

    def folder(self, dataset_id: str) -> Path:
        """Return the folder of a data set. Raises NotFound, DataLoss if its files are not those that were written."""
        self._follow()
        try:
            folder = self._store.folder(dataset_id)
        except DataLoss as error:
            self._note_damage(dataset_id, error.message)
            raise
        self._note_damage(dataset_id, "")
        return folder

    def page(self, after: str = "", limit: int = 50) -> list[DatasetInfo]:
        """Return at most `limit` data sets, the newest first, starting after the id `after`. Raises InvalidInput if
        that data set no longer exists.
        """
        self._follow()
        with self._lock:
            listed = sorted(self._datasets.values(), key=lambda info: (-info.created_us, info.dataset_id))
        ids = [info.dataset_id for info in listed]
        if after and after not in ids:
            raise InvalidInput("page_token", "belongs to a data set that no longer exists; start again without it")
        start = ids.index(after) + 1 if after else 0
        return listed[start : start + limit]

    def delete(self, dataset_id: str) -> None:
        """Delete a data set. Raises NotFound, Precondition while a job uses it."""
        self._follow()
        if self._in_use(dataset_id):  # outside the lock: jobs look up data sets under a lock of their own
            raise Precondition(
                "a job uses this data set; cancel the job, or wait until it has ended", Reason.DATASET_IN_USE
            )
        with self._lock:
            if dataset_id not in self._datasets:
                raise NotFound("dataset", dataset_id, "give its id; list the data sets to see them")
            self._store.delete(dataset_id)
            del self._datasets[dataset_id]

    def _follow(self) -> None:
        """Learn which data sets other servers have added and deleted, if that can be asked now."""
        with suppress(Unavailable):
            added, removed = self._store.news()
            with self._lock:
                self._datasets.update((info.dataset_id, info) for info in added)
                for dataset_id in removed:
                    self._datasets.pop(dataset_id, None)

    def _note_damage(self, dataset_id: str, damage: str) -> None:
        """Show from now on whether a data set is damaged, as its use has found."""
        with self._lock:
            info = self._datasets.get(dataset_id)
            if info is not None and info.damage != damage:
                self._datasets[dataset_id] = replace(info, damage=damage)


def require_known_format(file_name: str) -> None:
    """Raise InvalidInput unless the file name has one of the supported suffixes."""
    if not file_name.lower().endswith(FILE_SUFFIXES):
        raise InvalidInput("file_name", f"does not end with {' or '.join(FILE_SUFFIXES)}; to send a folder, zip it")


def validate_options(options: DatasetOptions) -> DatasetOptions:
    """Return the options with a normalized name. Raises InvalidInput for an option out of range."""
    for field in ("validation_share", "test_share"):
        share = getattr(options, field)
        if not SPLIT_SHARE.includes(share):
            raise InvalidInput(f"options.{field}", f"is {share:g}; give {SPLIT_SHARE}")
    return replace(options, name=normalize_label(options.name, "options.name"))


def _describe(
    options: DatasetOptions,
    assembled: Assembled,
    refusals: Refusals,
    notes: Sequence[DatasetNote],
    kind: DatasetKind,
) -> DatasetInfo:
    return DatasetInfo(
        dataset_id=secrets.token_hex(_ID_BYTES),
        name=options.name,
        created_us=time.time_ns() // 1000,
        sha256="",
        labels=assembled.labels,
        writers=assembled.writers,
        refused=tuple(refusals.listed),
        refused_total=refusals.total,
        leaks=len(assembled.leaked),
        duplicates=assembled.duplicates,
        leaked=tuple(assembled.leaked[:MAX_LISTED_ITEMS]),
        duplicated=tuple(assembled.duplicated[:MAX_LISTED_ITEMS]),
        notes=(*notes, *_note_untrained(assembled.labels, kind)),
        unknown=assembled.unknown,
        kind=kind,
        lines=assembled.lines,
    )


def _note_shared(items: Sequence[ItemFacts], assembled: Assembled, kind: DatasetKind) -> list[DatasetNote]:
    """Return notes about what parts of a data set of lines have in common though they should not."""
    if kind is not DatasetKind.LINES:
        return []
    notes = []
    parts = dict(zip(assembled.order, assembled.parts, strict=True))
    writers = {part: {items[i].writer for i, own in parts.items() if own is part} for part in Part}
    texts = {part: {items[i].label for i, own in parts.items() if own is part} for part in Part}
    if "" in set().union(*writers.values()):
        message = "some lines do not say whose hand or which document they are from; neighbors may be in two parts"
        notes.append(DatasetNote("UNKNOWN_WRITERS", message))
    elif shared := (writers[Part.TRAIN] & (writers[Part.VALIDATION] | writers[Part.TEST])):
        named = ", ".join(sorted(shared)[:_SHOWN_LABELS])
        message = f"writers or documents are in the training part and in another one: {named[:_SHOWN_CHARACTERS]}"
        message += f" and {len(shared) - _SHOWN_LABELS:,} more" if len(shared) > _SHOWN_LABELS else ""
        notes.append(DatasetNote("SHARED_WRITERS", message))
    if repeated := texts[Part.TEST] & texts[Part.TRAIN]:
        message = f"{len(repeated):,} of the {len(texts[Part.TEST]):,} texts of the test part are also trained on"
        notes.append(DatasetNote("SHARED_TEXTS", message))
    return notes


def _note_untrained(labels: Sequence[LabelCount], kind: DatasetKind) -> list[DatasetNote]:
    """Return the note about labels that no item trains, which a model then never predicts."""
    what, item = ("character", "line") if kind is DatasetKind.LINES else ("label", "drawing")
    untrained = tuple(count.label for count in labels if not count.train)
    if not untrained:
        return []
    shown = ", ".join(f"“{label}”" for label in untrained[:_SHOWN_LABELS])
    more = ", …" if len(untrained) > _SHOWN_LABELS else ""
    who = f"{len(untrained)} {what}s have" if len(untrained) > 1 else f"one {what} has"
    message = f"{who} no {item} to train on ({shown}{more}); a model trained on this never predicts them"
    return [DatasetNote("NOT_TRAINED", message, untrained[:MAX_LISTED_ITEMS])]
