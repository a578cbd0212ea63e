"""The rows of a workspace's log, independent of any storage engine."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

SYNTHETIC = "synthetic"
"""SampleRow.glyph_kind of a drawing that a program made."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change in the log. revision 0 means “the next one”.

    payload_hash: SHA-256 of the request, to compare a repeated request_id with. answer: the first answer as JSON.
    client: who asked for it, see Caller. label: the label after the change. previous: the label (relabel) or canonical
    label (link, unlink) before it, "" = none. target: the revision that this event undoes. undone_by: the revision of
    the event that undid this one.
    """

    kind: ChangeKind
    time_us: int
    _: KW_ONLY
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """One taught sample as stored. glyph_kind: "ink" (encoded strokes), "png" (an encoded raster), or SYNTHETIC (one of
    a drawing that a program made). embedding: (d,) float32.

    predicted: the first candidate before it was learned, "" = unknown. new_label: the label had no other sample then.
    predicted_revision: for corrections, the revision that predicted. revision: the one that taught the sample.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFacts:
    """A sample without its drawing and embedding, for statistics of many."""

    sample_id: int
    label: str
    loss: float
    predicted: str
    new_label: bool
    correction: bool
    time_us: int
    revision: int


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """The live samples of one label. recognized: how many of them were recognized before they were learned, the first
    one not counted.
    """

    label: str
    samples: int
    average_loss: float
    recognized: int
    newest_sample_id: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """How many samples of a label were taken for another one before they were learned."""

    label: str
    predicted: str
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSummary:
    """All live samples together. The losses are None without samples. tested: samples whose label had others before;
    recognized: those of them that were recognized before they were learned. labels: in the order of their oldest
    samples. confusions: the most frequent ones among the tested samples, those most frequent first.
    """

    samples: int
    average_loss: float | None
    min_loss: float | None
    max_loss: float | None
    tested: int
    recognized: int
    corrections: int
    labels: tuple[LabelSummary, ...]
    confusions: tuple[Confusion, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedSamples:
    """A block of n samples as the head needs them. embeddings: (n, d)."""

    sample_ids: list[int]
    labels: list[str]
    embeddings: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LiveSample:
    """A live sample as a learner needs it. revision: the one that taught it; together with sample_id it identifies a
    drawing for good.
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


@dataclass(frozen=True, slots=True)
class LogState:
    """What a log says besides its samples, at one revision. samples_total: live ones. class_ids, links: see
    WorkspaceLog.
    """

    revision: int
    samples_total: int
    class_ids: dict[str, int]
    links: dict[str, str]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FollowedEvent:
    """An event that another server has committed, with what it takes to follow it. undone: the event that it undoes.
    embedding, embedder_hash: of the sample that it names, (0,) and "" if it names none.
    """

    event: Event
    undone: Event | None
    embedding: NDArray[np.float32]
    embedder_hash: str


class ChangeKind(Enum):
    """What one revision changed. The values are stored."""

    TEACH = "teach"
    CORRECT = "correct"
    RELABEL = "relabel"
    FORGET = "forget"
    LINK = "link"
    UNLINK = "unlink"
    UNDO = "undo"
    RESET = "reset"
    RESTORE = "restore"


LABELING = frozenset({ChangeKind.TEACH, ChangeKind.CORRECT, ChangeKind.RELABEL})
"""Kinds of events that give a sample the label that they name."""
UNDOABLE = frozenset(ChangeKind) - {ChangeKind.UNDO, ChangeKind.RESET, ChangeKind.RESTORE}
