"""The directory of workspaces as a port, with what passes through it; app.py plugs the implementation in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.folder_names import FolderNames
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.sample_log.ports import SampleVisitor, WorkspaceLog
from haleganada_server.core.sample_log.rows import Event

from .changes.teaching import NewSample
from .types import Lag, RefusedItem, SnapshotInfo, SnapshotKind, TransferFormat

OnNote = Callable[[str], None]
"""Called with a sentence about how a file was read."""


def ignore_note(_note: str) -> None:
    """Ignore a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportItem:
    """One labeled drawing read from a file.

    item: its file name or line number. glyph: as a caller would send it. embedding: (d,), only from an archive,
    valid for embedder_hash. key: a hash that identifies the item, so that importing the same file twice teaches it
    once.
    """

    item: str
    label: str
    canonical: str
    glyph: Glyph
    key: str
    stored_glyph: tuple[str, bytes] | None = None
    embedding: NDArray[np.float32] | None = None
    embedder_hash: str = ""
    time_us: int = 0
    loss: float | None = None
    predicted: str = ""
    new_label: bool = False
    correction: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class StagedSample:
    """An imported drawing that is ready to be taught. item, key: see ImportItem."""

    item: str
    key: str
    new: NewSample


class ImportStage(Protocol):
    """The samples of one import on disk, outside memory, until they are taught."""

    def add(self, samples: Sequence[StagedSample]) -> None:
        """Add samples behind the others. Raises Exhausted if the disk is full."""

    def __iter__(self) -> Iterator[StagedSample]:
        """Yield all samples in the order in which they were added."""

    def close(self) -> None:
        """Remove all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A finished export on disk. Stream it, then close() it, which deletes it."""

    path: Path
    format: TransferFormat
    file_name: str
    content_type: str
    revision: int
    samples_total: int

    def close(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOutline:
    """What a list shows of a log that is not open. samples_to_embed: live samples of other weights. bytes_on_disk: with
    its journal.
    """

    revision: int
    samples_total: int
    labels_known: int
    samples_to_embed: int
    created_us: int
    bytes_on_disk: int


class WorkspaceDirectory(Protocol):
    """The workspaces on disk; the only writer of the data directory, which it locks."""

    @property
    def is_shared(self) -> bool:
        """Whether other servers use the same workspaces, too."""

    def follow(self, on_changed: Callable[[str], None], loaded: Callable[[], Mapping[str, int]]) -> None:
        """From now on, call on_changed, from a thread, with the name of each workspace that another server has changed,
        created or deleted, until close(). loaded: returns the names of those in memory, whose changes must be heard of
        within about a second, and which revision of them is known.
        """

    def measure_lag(self) -> Lag | None:
        """Return how well changes by others are followed; None if there are no others."""

    def measure_age_s(self) -> float:
        """Return how many seconds ago everything was known that any server had acknowledged; 0 = just now."""

    def names(self) -> list[str]:
        """Return the names of the workspaces, sorted, corrupt ones included."""

    def exists(self, name: str) -> bool:
        """Return whether a workspace was created and not deleted, even if its log has vanished."""

    def create(self, name: str, visitor: SampleVisitor | None = None) -> WorkspaceLog:
        """Create an empty log, which continues the revisions and sample_ids of a deleted one. Raises AlreadyExists."""

    def open(self, name: str, visitor: SampleVisitor | None = None) -> WorkspaceLog:
        """Open a log. visitor: gets its samples, here and in the other methods. Raises NotFound, or DataLoss with the
        way back in its message.
        """

    def outline(self, name: str, embedder_hash: str) -> LogOutline:
        """Read what a list shows of a log, without opening and checking all of it. Raises NotFound, DataLoss."""

    def replace(
        self,
        name: str,
        log: WorkspaceLog | None,
        event: Event,
        snapshot_id: str = "",
        visitor: SampleVisitor | None = None,
    ) -> tuple[WorkspaceLog, SnapshotInfo | None]:
        """Put an empty log, or a copy of a snapshot, into a workspace's place, continued by `event`, and move the old
        log to the trash. Return the new log, and the old one as it is in the trash, None if there was no file.

        log: the open log; None = it cannot be opened or has vanished, or the workspace was deleted. Revisions and
        sample_ids continue. A kill at any time leaves the old state or the new one. So does an error: NotFound,
        DataLoss for a damaged snapshot, Exhausted, Unavailable; `log` is open then, unless the new state may be in
        place. Raises LogReplaced if another server has changed the workspace since `event` was made.
        """

    def delete(self, name: str, log: WorkspaceLog | None) -> SnapshotInfo | None:
        """Move a log to the trash, as replace does. Raises NotFound, Exhausted, Unavailable."""

    def save(self, log: WorkspaceLog, name: str, kind: SnapshotKind = SnapshotKind.SAVED) -> SnapshotInfo:
        """Write a consistent copy with a checksum. If a sound snapshot of the same state exists, they share its file.
        name: "" = the time.
        """

    def discard(self, name: str, snapshot: SnapshotInfo) -> int:
        """Delete a snapshot, and return the bytes that this frees. A kill leaves it whole, or unlisted and deleted by
        the next start.
        """

    def snapshot_bytes(self, name: str) -> int:
        """Return the bytes of a workspace's snapshots and trash; a shared file counts once."""

    def require_room(self, needed: int = 0) -> None:
        """Raise Exhausted if the data directory may not grow by so many bytes, or at all."""

    def is_sound(self, name: str, snapshot: SnapshotInfo) -> bool:
        """Return whether a snapshot can be restored. Reads the whole file."""

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        """Return the snapshots, newest first, those of deleted workspaces included."""

    def names_with_snapshots(self) -> list[str]:
        """Return the names of the workspaces that have snapshots or trash, sorted, deleted ones included."""

    def export(self, log: WorkspaceLog, transfer_format: TransferFormat) -> ExportFile:
        """Write an export of one consistent state to a temporary file below the data directory."""

    def export_snapshot(self, name: str, snapshot_id: str, transfer_format: TransferFormat) -> ExportFile:
        """Write an export of a snapshot, as export() does. Raises NotFound, DataLoss."""

    def read_import(
        self,
        path: Path,
        transfer_format: TransferFormat | None,
        folder_names: FolderNames = FolderNames.AUTO,
        on_note: OnNote = ignore_note,
    ) -> Iterator[ImportItem | RefusedItem]:
        """Read the items of a file; see store/formats for what is accepted. on_note: called with what the importer
        should know. Raises InvalidInput for any other file.
        """

    def stage_import(self) -> ImportStage:
        """Return an empty stage, to be closed."""

    def temporary_file(self) -> Path:
        """Return a new path below the data directory, for an upload."""

    def close(self) -> None:
        """Release the lock."""
