"""What callers of a workspace send and get, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.core.knowledge.variants import Variants
from haleganada_server.core.models.online_status import OnlineStatus
from haleganada_server.core.outcomes import strip_traceback
from haleganada_server.core.sample_log.rows import SYNTHETIC, ChangeKind, SampleRow


class KnownDrawings(Enum):
    """What to do with a drawing that is taught already, with the same label."""

    IGNORE = "ignore"
    TELL = "tell"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A drawing to learn and its label, as a caller sends them: label and variant_of are not normalized yet, "" = none.

    request_id: "" = a repeated call teaches again. expected_revision: None = any. known: what to do with a drawing that
    is known. batch_id: the lessons that can be taken back as one, "" = this one alone.
    """

    glyph: Glyph
    label: str
    variant_of: str = ""
    request_id: str = ""
    expected_revision: int | None = None
    known: KnownDrawings = KnownDrawings.IGNORE
    batch_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """The answer for a taught sample, given only after the sample is on disk.

    loss: -ln of the probability that the right label had before the sample was learned (for a new label: the
    probability of “unknown”). revision: the workspace's revision after this sample. duplicate: nothing was taught; the
    request, or with KnownDrawings.SKIP the drawing, was known. known_sample_id: the same drawing, 0 = none was found.
    """

    sample_id: int
    loss: float
    label: str
    trained_as: str
    labels_known: int
    samples_total: int
    revision: int
    duplicate: bool = False
    known_sample_id: int = 0


@dataclass(frozen=True, slots=True)
class Corrected:
    """The answer for a correction: the taught sample, and what was predicted at which revision ("" = unknown)."""

    taught: Taught
    predicted: str
    predicted_revision: int


@dataclass(frozen=True, slots=True)
class Linked:
    """A group of forms after a link; the canonical label first in forms."""

    canonical: str
    forms: tuple[str, ...]
    revision: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A form that stands for itself again, and the label that it stood for."""

    former_canonical: str
    revision: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The change that was undone, of several the oldest one; sample_id is 0 for links. changes: how many there were."""

    kind: ChangeKind
    undone_revision: int
    sample_id: int
    label: str
    revision: int
    duplicate: bool = False
    changes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One taught sample as a caller sees it. time_us: microseconds since 1970 UTC. predicted: "" = none. author: the
    name of who taught it, see Caller; "" = not known, or not asked for.
    """

    sample_id: int
    label: str
    canonical: str
    loss: float
    time_us: int
    revision: int
    predicted: str
    correction: bool
    synthetic: bool = False
    picture: bytes = b""
    author: str = ""

    @classmethod
    def from_row(cls, row: SampleRow, variants: Variants, picture: bytes = b"", author: str = "") -> Sample:
        """Return a stored sample as callers see it."""
        return cls(
            sample_id=row.sample_id,
            label=row.label,
            canonical=variants.canonical(row.label),
            loss=row.loss,
            time_us=row.time_us,
            revision=row.revision,
            predicted=row.predicted,
            correction=row.correction,
            synthetic=row.glyph_kind == SYNTHETIC,
            picture=picture,
            author=author,
        )


@dataclass(frozen=True, slots=True)
class SampleChange:
    """A relabeled (sample set) or forgotten (sample None) sample."""

    sample: Sample | None
    revision: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class SamplePage:
    """A page of samples, newest first; next_before is the sample_id to continue below, 0 on the last page."""

    samples: tuple[Sample, ...]
    next_before: int
    total: int
    revision: int


class SnapshotKind(str, Enum):
    """Why a snapshot was taken, which decides how long it is kept; the values are used in manifests."""

    SAVED = "saved"
    AUTOMATIC = "automatic"
    BEFORE_IMPORT = "before-import"
    TRASH = "trash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How well a server follows others with which it shares its workspaces. is_current: whether it knows everything
    that any of them has acknowledged, but for the last seconds. is_away: whether what they share cannot be reached.
    look_age_s: since it looked there last. behind_revisions: that it found then and could not follow, of all loaded
    workspaces.
    """

    is_current: bool
    is_away: bool
    look_age_s: float
    behind_revisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotInfo:
    """A snapshot of a workspace. trash: what reset, restore or delete replaced, whose kind is TRASH."""

    snapshot_id: str
    name: str
    revision: int
    samples_total: int
    created_us: int
    bytes: int
    sha256: str
    trash: bool
    kind: SnapshotKind = SnapshotKind.SAVED


@dataclass(frozen=True, slots=True)
class Pruned:
    """Snapshots that were deleted, newest first, and the bytes that this freed."""

    snapshots: tuple[SnapshotInfo, ...]
    freed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceInfo:
    """What a list of workspaces shows. samples_to_embed: live samples that the current weights have not embedded yet.
    model: the active model, a name of model_names or a model's id. online: status of the network that learns online.
    """

    name: str
    samples_total: int
    labels_known: int
    revision: int
    created_us: int
    bytes_on_disk: int
    corrupt: bool
    embedder_hash: str
    samples_to_embed: int
    model: str
    online: OnlineStatus | None


class TransferFormat(Enum):
    """The formats of an exported file; the values are used in manifests and on the command line."""

    ARCHIVE = "archive"
    SEED_FILES = "seed"
    JSONL = "jsonl"
    IMAGE_FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """An item of an import that could not be taught: its file name or line number, and why."""

    item: str
    error: Exception

    def __post_init__(self) -> None:
        strip_traceback(self.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The outcome of an import. before: a snapshot to go back to; None if there was nothing, or nothing changed. notes:
    sentences about how the file was read.
    """

    imported: int
    duplicates: int
    refused: tuple[RefusedItem, ...]
    refused_total: int
    revision: int
    before: SnapshotInfo | None
    notes: tuple[str, ...] = ()
