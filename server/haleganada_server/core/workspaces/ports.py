"""The directory of workspaces as a port, with what passes through it; app.py plugs the implementation in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import Event

from .types import RefusedItem, SnapshotInfo, TransferFormat


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


class WorkspaceDirectory(Protocol):
    """The workspaces on disk; the only writer of the data directory, which it locks."""

    def names(self) -> list[str]:
        """Return the names of the workspaces, sorted, corrupt ones included."""

    def exists(self, name: str) -> bool: ...

    def create(self, name: str, first_event: Event | None = None) -> WorkspaceLog:
        """Create an empty log that starts with first_event. Raises AlreadyExists."""

    def open(self, name: str) -> WorkspaceLog:
        """Open a log. Raises NotFound, or DataLoss with the way back in its message."""

    def retire(self, log: WorkspaceLog | None, name: str, why: str) -> SnapshotInfo | None:
        """Close a log and move its file to the trash. log None: the file cannot be opened; it is moved as it is.

        Raises Exhausted if there is no room for the manifest; the log is open and in its place then.
        """

    def bring_back(self, name: str, retired: SnapshotInfo) -> WorkspaceLog:
        """Move a log that retire put into the trash back into its place, which needs no room on the disk, and open it.
        Raises DataLoss if it was unreadable before; it is back in its place even so.
        """

    def save(self, log: WorkspaceLog, name: str, *, seed_files: bool = True) -> SnapshotInfo:
        """Write a consistent copy with a checksum, with the seed-format files beside it."""

    def discard(self, name: str, snapshot: SnapshotInfo) -> None:
        """Delete a snapshot that save() wrote."""

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        """Return the snapshots, newest first, those of deleted workspaces included."""

    def restore(self, name: str, snapshot_id: str, event: Event) -> WorkspaceLog:
        """Put a copy of a snapshot into the workspace's place, which must be free, and append `event`. Raises NotFound,
        DataLoss.
        """

    def export(self, log: WorkspaceLog, transfer_format: TransferFormat) -> ExportFile:
        """Write an export of one consistent state to a temporary file below the data directory."""

    def read_import(self, path: Path, transfer_format: TransferFormat | None) -> Iterator[ImportItem | RefusedItem]:
        """Read the items of a file; see store/formats for what is accepted. Raises InvalidInput for any other file."""

    def temporary_file(self) -> Path:
        """Return a new path below the data directory, for an upload."""

    def close(self) -> None:
        """Release the lock."""
