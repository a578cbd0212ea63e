"""What the client returns: frozen dataclasses with the names of the contract. Times are aware datetimes in UTC."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, BinaryIO, NamedTuple, Protocol, Union

FEW_SHOT = "few-shot"
"""Names a workspace's own head wherever a model is asked for."""
ONLINE = "online"
"""Names the workspace's own network wherever a prediction is asked for."""


class SupportsImage(Protocol):
    """What an image of Pillow can do."""

    @property
    def mode(self) -> str: ...

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None:
        """Write it to an open file."""


class SupportsArray(Protocol):
    """What arrays of numpy and tensors can do."""

    def __array__(self) -> Any: ...


@dataclass(frozen=True)
class Stroke:
    """One movement of the pen. x, y: canvas units, y downwards. time_ms: since the drawing began. pressure: 0..1."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    time_ms: tuple[float, ...] = ()
    pressure: tuple[float, ...] = ()


@dataclass(frozen=True)
class Ink:
    """Strokes on a canvas of width x height canvas units; pen_width 0 = 1/24 of the smaller side."""

    strokes: tuple[Stroke, ...]
    width: float
    height: float
    pen_width: float = 0.0


Picture = Union[bytes, bytearray, memoryview, str, "os.PathLike[str]", BinaryIO, SupportsImage, SupportsArray]
"""A picture: a PNG, JPEG or WebP image as its bytes, the path of its file, or a file that is open for reading; an image
of Pillow; or an array of shape (height, width) or (height, width, channels), of floats 0..1, integers 0..255 or bool.
"""
Points = Sequence[Sequence[float]]
"""A stroke as a list of points (x, y), y downwards."""
Drawing = Picture | Ink | Sequence[Stroke | Points]
"""A drawing: a picture, ink, or a list of strokes: each a Stroke or a list of points (x, y)."""


class Lesson(NamedTuple):
    """A drawing to learn and what it is. variant_of "" = none; request_id "" = a fresh one. synthetic: a program made
    the picture, for example from a font.
    """

    drawing: Drawing
    label: str
    variant_of: str = ""
    request_id: str = ""
    synthetic: bool = False


class Decision(Enum):
    """What the server concludes about a drawing."""

    RECOGNIZED = "recognized"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    NOTHING_TAUGHT = "nothing_taught"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One label that a drawing may be; probabilities 0..1. class_id: number of the label in its workspace, which never
    changes; None if it was never taught there.
    """

    label: str
    probability: float
    canonical: str
    canonical_probability: float
    forms: tuple[str, ...]
    code_points: tuple[str, ...]
    samples: int
    class_id: int | None
    canonical_class_id: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Prediction:
    """What a drawing is; the most probable candidate is the first. model: what answered: a model's id, "few-shot", or
    "online" for the workspace's own network. provisional: "few-shot" has not adapted to the last samples yet, so that
    another call may find slightly other probabilities; never with min_revision. knowledge_age_ms: of a server whose
    database is away, how many milliseconds ago it knew everything that any server had acknowledged; 0 = it does.
    """

    candidates: tuple[Candidate, ...]
    unknown_probability: float
    decision: Decision
    revision: int
    prediction_id: str
    model: str
    provisional: bool = False
    knowledge_age_ms: int = 0

    @property
    def best(self) -> Candidate | None:
        """The first candidate if the drawing was recognized, else None; candidates[0] is the best guess."""
        return self.candidates[0] if self.candidates and self.decision is Decision.RECOGNIZED else None

    def __repr__(self) -> str:
        first = "".join(f", {c.label} {c.probability:.1%}" for c in self.candidates[:1])
        return f"<Prediction {self.decision.value}{first}, revision {self.revision}, {self.model or 'no model'}>"


@dataclass(frozen=True, kw_only=True)
class Taught:
    """A taught drawing. duplicate: nothing was taught; the request, or the drawing that was to be skipped, was known.
    learned: the call waited until the workspace's own network had learned it. known_sample_id: the sample that was the
    same drawing with the same label before, 0 = none was found or looked for.
    """

    sample_id: int
    loss: float
    label: str
    canonical: str
    labels_known: int
    samples_total: int
    revision: int
    duplicate: bool
    learned: bool
    known_sample_id: int = 0


@dataclass(frozen=True)
class Correction:
    """A corrected prediction; predicted "" = unknown."""

    taught: Taught
    predicted: str
    predicted_revision: int


@dataclass(frozen=True)
class ItemError:
    """Why one item of a batch was refused; code as in gRPC."""

    code: int
    reason: str
    message: str
    field: str


@dataclass(frozen=True)
class RefusedItem:
    """One refused item of an import."""

    item: str
    error: ItemError


@dataclass(frozen=True)
class Linked:
    """A group of forms, the canonical one first."""

    canonical: str
    forms: tuple[str, ...]
    revision: int
    duplicate: bool


@dataclass(frozen=True)
class Unlinked:
    """A form that stands for itself again."""

    former_canonical: str
    revision: int
    duplicate: bool


@dataclass(frozen=True, kw_only=True)
class Undone:
    """A change that was taken back, of several the oldest; kind: "teach", "correct", "relabel", "forget", "link",
    "unlink". changes: how many were taken back.
    """

    kind: str
    undone_revision: int
    sample_id: int
    label: str
    revision: int
    duplicate: bool
    changes: int = 1


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A taught sample. picture: PNG or b"". synthetic: a program made the drawing, for example from a font. author: the
    name of the token that taught it, “local” on a server without tokens, "" if it is not known.
    """

    sample_id: int
    label: str
    canonical: str
    loss: float
    create_time: datetime
    revision: int
    predicted: str
    correction: bool
    synthetic: bool = False
    author: str = ""
    picture: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Relabeled(Sample):
    """A sample with its new label. workspace_revision: the one that relabeled it, for undo; `revision` taught it."""

    workspace_revision: int
    duplicate: bool


@dataclass(frozen=True)
class SamplePage:
    """A page of samples, newest first; next_page_token "" on the last one."""

    samples: tuple[Sample, ...]
    next_page_token: str
    total_size: int
    revision: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A saved state of a workspace. trash: put aside by a reset, a restore or a deletion. kind: “saved”, “automatic”,
    “before_import” or “trash”.
    """

    snapshot_id: str
    name: str
    revision: int
    samples_total: int
    create_time: datetime
    size_bytes: int
    sha256: str
    trash: bool
    kind: str = "saved"


@dataclass(frozen=True)
class PrunedSnapshots:
    """Snapshots that were deleted for good, newest first, and the bytes that this freed."""

    snapshots: tuple[Snapshot, ...]
    freed_bytes: int


@dataclass(frozen=True)
class OnlineSettings:
    """How a workspace's own network is trained on each drawing; None = the default.

    replay: earlier drawings in each training step, the same number of each label, 0 to 1,024, default 32. steps:
    optimizer steps (AdamW) for each drawing, 1 to 100, default 5. learning_rate: above 0, to 1, default 0.001, or
    0.0001 for a new network of resnet50-transformer. weight_decay: 0 to 1, default 0.01. seed: for everything random, 0
    or more.
    """

    replay: int | None = None
    steps: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class OnlineStatus:
    """How far a workspace's own network has learned.

    start: the preset or model that it started as. settings: every field is set. revision: the one that its predictions
    are based on; None until it has learned enough, "few-shot" answers until then. rebuilding: it learns again what
    came after a forgotten or relabeled sample. error: why it does not learn, and what to do; "" if all is well.
    """

    start: str
    settings: OnlineSettings
    revision: int | None
    labels_known: int
    samples_learned: int
    samples_left: int
    rebuilding: bool
    error: str


@dataclass(frozen=True, kw_only=True)
class WorkspaceInfo:
    """A workspace. corrupt: its file is damaged. samples_to_embed: number of samples that the present weights have to
    embed yet; predictions leave them out until then. model: what answers if a call names none: a model's id, "few-shot"
    or "online". online: the workspace's own network, None unless one was asked for.
    """

    name: str
    samples_total: int
    labels_known: int
    revision: int
    create_time: datetime
    size_bytes: int
    corrupt: bool
    embedder_hash: str
    samples_to_embed: int
    model: str
    online: OnlineStatus | None


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """A finished export; sha256 was checked against what arrived."""

    file_name: str
    content_type: str
    revision: int
    samples_total: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """The result of an import. before: the snapshot to go back to, if there was anything before. notes: sentences about
    how the file was read.
    """

    imported: int
    duplicates: int
    refused: tuple[RefusedItem, ...]
    refused_total: int
    revision: int
    before: Snapshot | None
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LabelStats:
    """Statistics of one label. accuracy: None with one sample. class_id: its number, as in Candidate."""

    label: str
    class_id: int
    canonical: str
    samples: int
    average_loss: float
    accuracy: float | None
    newest_sample_id: int


@dataclass(frozen=True, kw_only=True)
class HistoryPoint:
    """One taught sample in the order of teaching."""

    revision: int
    create_time: datetime
    loss: float
    recognized: bool
    new_label: bool
    label: str


@dataclass(frozen=True)
class ConfusedPair:
    """Two labels that were confused."""

    label: str
    predicted: str
    count: int


@dataclass(frozen=True)
class TeachNext:
    """A label worth teaching next; confused_with "" = it has few samples."""

    label: str
    confused_with: str


@dataclass(frozen=True)
class Suspect:
    """A sample that is probably mislabeled."""

    sample_id: int
    label: str
    looks_like: str
    probability: float


@dataclass(frozen=True)
class NearDuplicate:
    """A sample and an older one that are the same drawing; similarity: 0.995 to 1."""

    sample_id: int
    label: str
    other_sample_id: int
    other_label: str
    similarity: float


@dataclass(frozen=True)
class MethodLatency:
    """Latency of one RPC on the server."""

    method: str
    calls: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True)
class ServerStatus:
    """How busy a server is. calls_total, calls_failed: that are over since its start, and those of them that ended with
    another code than OK. calls_working, calls_waiting, streams_open: right now. samples: in all workspaces that it has
    looked at. memory_bytes: of its process; None where its system does not tell. quotas: of the server as a whole.
    device_memory_bytes, device_memory_limit_bytes: of its GPU, used and at most; None without one. device_note: why a
    GPU embeds nothing, or not all; "" = all is well. replica: how well it follows other servers; None if it shares no
    database with any.
    """

    uptime_seconds: float
    device: str
    latencies: tuple[MethodLatency, ...]
    calls_total: int
    calls_failed: int
    calls_working: int
    calls_waiting: int
    streams_open: int
    workspaces: int
    workspaces_open: int
    samples: int
    jobs_queued: int
    jobs_running: int
    jobs_failed: int
    readers: int
    readers_busy: int
    pages_waiting: int
    memory_bytes: int | None
    quotas: tuple[Quota, ...] = ()
    device_memory_bytes: int | None = None
    device_memory_limit_bytes: int | None = None
    device_note: str = ""
    replica: ReplicaStatus | None = None


@dataclass(frozen=True)
class ReplicaStatus:
    """How well a server follows others with which it shares a database. current: whether it knows everything that any
    of them has acknowledged, but for the last three seconds. database_away: whether the database cannot be reached.
    look_age_seconds: since it looked there last. behind_revisions: that it found then and could not follow, of all
    workspaces in its memory.
    """

    current: bool
    database_away: bool
    look_age_seconds: float
    behind_revisions: int


@dataclass(frozen=True)
class Quota:
    """A bound on what may be kept. name: as administrators set it. used, limit: things, or bytes where the name ends
    with “bytes” or “quota”.
    """

    name: str
    used: int
    limit: int


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Statistics of a workspace and its server. accuracy is prequential: recognized before it was learned. links: from
    form to canonical label, those that were made first at the beginning. quotas: of the workspace.
    """

    revision: int
    samples_total: int
    labels_known: int
    variant_groups: int
    average_loss: float | None
    min_loss: float | None
    max_loss: float | None
    accuracy: float | None
    accuracy_samples: int
    corrections: int
    labels: tuple[LabelStats, ...]
    history: tuple[HistoryPoint, ...]
    confused_pairs: tuple[ConfusedPair, ...]
    teach_next: tuple[TeachNext, ...]
    suspects: tuple[Suspect, ...]
    near_duplicates: tuple[NearDuplicate, ...]
    latencies: tuple[MethodLatency, ...]
    device: str
    versions: Mapping[str, str]
    size_bytes: int
    embedder_hash: str
    uptime_seconds: float
    samples_to_embed: int
    links: Mapping[str, str] = field(default_factory=dict)
    quotas: tuple[Quota, ...] = ()
