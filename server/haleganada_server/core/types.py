"""The nouns of the product as frozen dataclasses. No behaviour beyond what a value can say of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .model_names import FEW_SHOT
from .online_status import OnlineStatus


@dataclass(frozen=True, slots=True)
class Stroke:
    """One movement of the pen, from pen down to pen up.

    x, y: canvas units, y pointing down, equally long, at least one point. t: milliseconds since the drawing began,
    empty or as long as x. pressure: 0..1, empty or as long as x.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    t: tuple[float, ...] = ()
    pressure: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Ink:
    """A drawing as pen strokes on a canvas of width x height canvas units.

    pen_width: thickness of the pen in canvas units; 0 means the default, 1/24 of the canvas' smaller side.
    """

    strokes: tuple[Stroke, ...]
    width: float
    height: float
    pen_width: float = 0.0


@dataclass(frozen=True, slots=True)
class Glyph:
    """One drawn character: either the bytes of a PNG, JPEG or WebP image, or ink. Exactly one of the two is set."""

    image: bytes | None = None
    ink: Ink | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """A drawing to learn and what it is, as a caller sends it: label and variant_of are not normalised yet, "" = none.

    request_id: "" = a repeated call is carried out again. expected_revision: None = any.
    """

    glyph: Glyph
    label: str
    variant_of: str = ""
    request_id: str = ""
    expected_revision: int | None = None


class Decision(Enum):
    """What the server makes of a drawing."""

    RECOGNISED = "recognised"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    NOTHING_TAUGHT = "nothing_taught"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One label that a drawing may be.

    label: the form that was taught. canonical: the label that the form stands for (itself unless linked).
    probability and canonical_probability: 0..1; the second is the sum over all forms of the canonical label. forms:
    all taught forms of the canonical label, the canonical one first. samples: taught samples of this form.
    """

    label: str
    canonical: str
    probability: float
    canonical_probability: float
    forms: tuple[str, ...]
    samples: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one drawing; candidates by falling probability, which together with unknown_probability sum to
    at most 1. model: what answered, see model_names, or a model's id.
    """

    candidates: tuple[Candidate, ...]
    unknown_probability: float
    decision: Decision
    revision: int
    prediction_id: str
    model: str = FEW_SHOT


@dataclass(frozen=True, slots=True)
class Taught:
    """The answer to a taught sample, sent only after the sample is on disk.

    loss: -ln of the probability that the right label had before the sample was learned (for a new label: the
    probability of “unknown”). revision: the workspace's revision after this sample.
    """

    sample_id: int
    loss: float
    label: str
    trained_as: str
    labels_known: int
    samples_total: int
    revision: int
    duplicate: bool = False


class ChangeKind(Enum):
    """What one revision of a workspace's log did. The value is what is stored."""

    TEACH = "teach"
    CORRECT = "correct"
    RELABEL = "relabel"
    FORGET = "forget"
    LINK = "link"
    UNLINK = "unlink"
    UNDO = "undo"
    RESET = "reset"
    RESTORE = "restore"


UNDOABLE = frozenset(ChangeKind) - {ChangeKind.UNDO, ChangeKind.RESET, ChangeKind.RESTORE}


@dataclass(frozen=True, slots=True)
class Corrected:
    """The answer to a correction: the taught sample, and what had been predicted at which revision ("" = unknown)."""

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
    """A form that stands for itself again, and what it had stood for."""

    former_canonical: str
    revision: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Undone:
    """The change that was taken back; sample_id is 0 for links."""

    kind: ChangeKind
    undone_revision: int
    sample_id: int
    label: str
    revision: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One taught sample as a caller sees it. time_us: microseconds since 1970 UTC. predicted: "" = none."""

    sample_id: int
    label: str
    canonical: str
    loss: float
    time_us: int
    revision: int
    predicted: str
    correction: bool
    picture: bytes = b""


@dataclass(frozen=True, slots=True)
class SampleChange:
    """A relabelled (sample set) or forgotten (sample None) sample."""

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


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A kept state of a workspace. trash: put aside by reset, restore or delete."""

    snapshot_id: str
    name: str
    revision: int
    samples_total: int
    created_us: int
    bytes: int
    sha256: str
    trash: bool


@dataclass(frozen=True, slots=True)
class WorkspaceInfo:
    """What a list of workspaces shows. samples_to_embed: live samples that the present weights have still to embed.
    model: what answers, see model_names, or a model's id. online: where the network that learns along stands.
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
    """The forms of an exported file; the value is used in manifests and on the command line."""

    ARCHIVE = "archive"
    SEED_FILES = "seed"
    JSONL = "jsonl"
    IMAGE_FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Refused:
    """One item of an import that could not be taught: its file name or line number, and why."""

    item: str
    error: Exception


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import. before: the state to go back to, None if the workspace was empty."""

    imported: int
    duplicates: int
    refused: tuple[Refused, ...]
    refused_total: int
    revision: int
    before: SnapshotInfo | None


@dataclass(frozen=True, slots=True)
class LabelStats:
    """Figures of one form. accuracy: prequential, without the first sample; None with one sample."""

    label: str
    canonical: str
    samples: int
    average_loss: float
    accuracy: float | None
    newest_sample_id: int


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One taught sample in the order of teaching."""

    revision: int
    time_us: int
    loss: float
    recognised: bool
    new_label: bool
    label: str


@dataclass(frozen=True, slots=True)
class TeachNext:
    """A label worth teaching next: it has few samples, or (confused_with set) it is taken for another."""

    label: str
    confused_with: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A sample that the model without it takes for another label, with that label's probability."""

    sample_id: int
    label: str
    looks_like: str
    probability: float


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A sample and an older one that are the same drawing. similarity: cosine of their embeddings."""

    sample_id: int
    label: str
    other_sample_id: int
    other_label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of one workspace at one revision; the rpc room adds those of the server."""

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
    confused: tuple[tuple[str, str, int], ...]
    teach_next: tuple[TeachNext, ...]
    suspects: tuple[Suspect, ...]
    near_duplicates: tuple[NearDuplicate, ...]
    bytes_on_disk: int
    samples_to_embed: int
