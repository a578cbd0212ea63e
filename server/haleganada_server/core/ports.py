"""What the core needs from the other rooms, as Protocols: ink, an embedder, a durable log, a directory of workspaces.

app.py plugs the implementations in. A second storage engine is a second implementation of the last three.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import HaleganadaError
from .types import ChangeKind, Glyph, Refused, SnapshotInfo, TransferFormat

Raster = NDArray[np.uint8]  # (128, 128), 255 = ink on 0
Vectors = NDArray[np.float32]  # (n, d)


class InkReader(Protocol):
    """Turns drawings into ink rasters, and rasters into what is stored and shown."""

    def normalise(self, glyph: Glyph) -> Raster:
        """The ink raster of a drawing. Raises InvalidInput."""

    def encode(self, raster: Raster) -> bytes:
        """A raster as PNG, for storing."""

    def decode(self, png: bytes) -> Raster:
        """The inverse of encode."""

    def picture(self, raster: Raster) -> bytes:
        """A raster as PNG for people: black ink on a transparent ground."""


class Embedder(Protocol):
    """A network that turns ink rasters into vectors. Safe to call from several threads at once."""

    @property
    def hash(self) -> str:
        """SHA-256 of the weights, hexadecimal."""

    @property
    def device(self) -> str:
        """For people, for example “cpu (onnxruntime)”."""

    def embed(self, rasters: NDArray[np.uint8]) -> Vectors:
        """(n, 128, 128) uint8 rasters -> (n, d) float32 vectors."""


class Seen(NamedTuple):
    """What a network and people need of a drawing. embedding: (d,) float32."""

    embedding: NDArray[np.float32]
    raster: Raster


class PieceReader(Protocol):
    """Reads a few drawings together. Safe to call from several threads at once."""

    def see(self, glyphs: Sequence[Glyph]) -> list[Seen | HaleganadaError] | None:
        """Each drawing, or why it cannot be read; None: nobody is there or free to read them, so read them yourself."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the log. revision 0 means “the next one”.

    payload_hash: SHA-256 of the request, with which a repeated request_id is compared. answer: the first answer as
    JSON. label: the label after the change. previous: the label (relabel) or canonical label (link, unlink) before
    it, "" = none. target: the revision that an undo takes back. undone_by: the revision of the undo that took this
    one back.
    """

    kind: ChangeKind
    time_us: int
    request_id: str = ""
    payload_hash: bytes = b""
    client: str = ""
    sample_id: int = 0
    label: str = ""
    previous: str = ""
    canonical: str = ""
    target: int = 0
    answer: str = ""
    revision: int = 0
    undone_by: int = 0


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One taught sample as stored. glyph_kind: "png" (an encoded raster) or "ink" (encoded strokes). embedding: (d,)
    float32.

    predicted: the first candidate before it was learned, "" = unknown. new_label: the label had no other sample then.
    predicted_revision: for corrections, the revision that had predicted. revision: the one that taught it.
    """

    sample_id: int
    label: str
    glyph_kind: str
    glyph: bytes
    embedding: NDArray[np.float32]
    embedder_hash: str
    loss: float
    predicted: str
    new_label: bool
    correction: bool
    predicted_revision: int
    time_us: int
    revision: int


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """A sample without its drawing and embedding, for figures over many."""

    sample_id: int
    label: str
    loss: float
    predicted: str
    new_label: bool
    correction: bool
    time_us: int
    revision: int


@dataclass(frozen=True, slots=True)
class LiveSample:
    """A live sample as a learner knows it. revision: the one that taught it; with sample_id it names a drawing for
    ever.
    """

    sample_id: int
    label: str
    revision: int


@dataclass(frozen=True, slots=True)
class StaleSample:
    """A sample that other weights embedded."""

    sample_id: int
    label: str
    forgotten: bool


class LogTransaction(Protocol):
    """Changes that reach the disk together or not at all. Sees its own changes."""

    def answered(self, request_id: str) -> Event | None:
        """The event that carries this request_id."""

    def append(self, event: Event) -> int:
        """Add an event; its revision (the last one + 1, unless event.revision is set and greater)."""

    def add_sample(self, sample: SampleRow) -> None:
        """Add a live sample."""

    def sample(self, sample_id: int, *, forgotten: bool = False) -> SampleRow | None:
        """A live sample, or with forgotten=True one that was forgotten; None if there is none such."""

    def next_sample_id(self) -> int:
        """Greater than all sample_ids ever used in this log."""

    def set_label(self, sample_id: int, label: str) -> None:
        """Relabel a sample."""

    def set_forgotten(self, sample_id: int, forgotten: bool) -> None:
        """Take a sample out of the live ones, or back in. Its row stays in the log, so that undo is exact."""

    def set_canonical(self, form: str, canonical: str) -> None:
        """Link a form; "" removes its link."""

    def set_embedding(self, sample_id: int, embedding: NDArray[np.float32], embedder_hash: str) -> None:
        """Replace a sample's embedding (d,) after the embedder changed."""

    def last_change(self) -> Event | None:
        """The newest undoable event that is not undone."""

    def mark_undone(self, revision: int, by: int) -> None:
        """Note that revision was taken back by the undo event `by`."""


class WorkspaceLog(Protocol):
    """One workspace's log on disk. transaction() is for one thread at a time; the rest is safe from any thread.

    Any method raises DataLoss if the file is corrupt; leaving a transaction raises Exhausted if the disk is full.
    """

    @property
    def name(self) -> str: ...

    @property
    def created_us(self) -> int: ...

    def revision(self) -> int:
        """The last revision on disk, 0 with none."""

    def transaction(self) -> AbstractContextManager[LogTransaction]:
        """Commits (with fsync) when the block ends normally, rolls back when it raises."""

    def sample(self, sample_id: int) -> SampleRow | None:
        """A live sample."""

    def samples(self, label: str = "", before: int = 0, limit: int = 50) -> list[SampleRow]:
        """Live samples, newest first; label "" = all; only sample_ids below `before` unless it is 0."""

    def count(self, label: str = "") -> int:
        """Live samples (of a label)."""

    def facts(self) -> list[SampleFacts]:
        """All live samples, oldest first, without drawings and embeddings."""

    def live(self) -> tuple[int, list[LiveSample]]:
        """The last revision, and all live samples at it, oldest first."""

    def samples_of(self, sample_ids: Sequence[int]) -> list[SampleRow]:
        """The samples with these numbers, forgotten ones included, oldest first."""

    def embeddings(self, embedder_hash: str) -> tuple[list[int], list[str], Vectors]:
        """sample_ids, labels and (n, d) embeddings of the live samples that these weights embedded, oldest first."""

    def stale(self, embedder_hash: str) -> list[StaleSample]:
        """The samples that other weights than these embedded, forgotten ones included, oldest first."""

    def every_sample(self) -> Iterator[SampleRow]:
        """All live samples, oldest first, from one consistent state."""

    def hidden_samples(self) -> Iterator[SampleRow]:
        """Forgotten samples, which an undo may bring back, oldest first."""

    def links(self) -> dict[str, str]:
        """form -> canonical label, in the order in which they were linked."""

    def bytes_on_disk(self) -> int: ...

    def copy_to(self, path: Path) -> None:
        """Write a consistent, compact copy; path must not exist."""

    def fold(self) -> None:
        """Bring everything into the main file, so that it alone is the present state. No transaction may be open."""

    def close(self) -> None:
        """Fold everything into the main file and close it."""


@dataclass(frozen=True, slots=True)
class ImportItem:
    """One labelled drawing read from a file.

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

    def export(self, log: WorkspaceLog, form: TransferFormat) -> ExportFile:
        """Write an export of one consistent state to a temporary file below the data directory."""

    def read_import(self, path: Path, form: TransferFormat | None) -> Iterator[ImportItem | Refused]:
        """Items of a file; see store/formats for what is accepted. Raises InvalidInput if the file is none of the
        formats.
        """

    def temporary_file(self) -> Path:
        """A fresh path below the data directory, for an upload."""

    def close(self) -> None:
        """Release the lock."""
