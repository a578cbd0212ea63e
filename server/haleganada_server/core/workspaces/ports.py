"""What the core needs from the other rooms, as Protocols: ink, an embedder, a durable log, a directory of workspaces.

app.py plugs the implementations in. A second storage engine is a second implementation of the last three.
"""

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


@dataclass(frozen=True, slots=True)
class ImportItem:
    """One labeled drawing read from a file.

    item: its file name or line number. glyph: as a caller would send it. embedding: (d,), only from an archive,
    valid for embedder_hash. key: a stable identity (hash) of the item, so that importing the same file twice teaches
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


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A finished export on disk, to be streamed and then removed by close()."""

    path: Path
    format: TransferFormat
    file_name: str
    content_type: str
    revision: int
    samples_total: int

    def close(self) -> None:
        self.path.unlink(missing_ok=True)


class WorkspaceDirectory(Protocol):
    """All workspaces on one disk; the only writer of the data directory, which it locks."""

    def names(self) -> list[str]:
        """Names of the workspaces, sorted, corrupt ones included."""

    def exists(self, name: str) -> bool: ...

    def create(self, name: str, first_event: Event | None = None) -> WorkspaceLog:
        """A new, empty log that starts with first_event. Raises AlreadyExists."""

    def open(self, name: str) -> WorkspaceLog:
        """Raises NotFound, or DataLoss with the way back in its message."""

    def retire(self, log: WorkspaceLog | None, name: str, why: str) -> SnapshotInfo | None:
        """Close a log and move its file to the trash. log None: the file cannot be opened; it is moved as it is.

        Raises Exhausted if there is no room for the manifest; the log is open and in its place then.
        """

    def bring_back(self, name: str, retired: SnapshotInfo) -> WorkspaceLog:
        """Move what retire put into the trash back into its place, which needs no room on the disk, and open it.
        Raises DataLoss if it was unreadable before; it is back in its place even so.
        """

    def save(self, log: WorkspaceLog, name: str, *, seed_files: bool = True) -> SnapshotInfo:
        """A consistent, checksummed copy, with the seed-format files beside it."""

    def discard(self, name: str, snapshot: SnapshotInfo) -> None:
        """Delete a state that save() has kept."""

    def snapshots(self, name: str) -> list[SnapshotInfo]:
        """Kept states, newest first, those of deleted workspaces too."""

    def restore(self, name: str, snapshot_id: str, event: Event) -> WorkspaceLog:
        """Put a copy of a kept state in place, with `event` appended. The place must be free. Raises NotFound,
        DataLoss.
        """

    def export(self, log: WorkspaceLog, transfer_format: TransferFormat) -> ExportFile:
        """Write an export of one consistent state to a temporary file below the data directory."""

    def read_import(self, path: Path, transfer_format: TransferFormat | None) -> Iterator[ImportItem | RefusedItem]:
        """Items of a file; see store/formats for what is accepted. Raises InvalidInput if the file is none of the
        formats.
        """

    def temporary_file(self) -> Path:
        """A fresh path below the data directory, for an upload."""

    def close(self) -> None:
        """Release the lock."""
