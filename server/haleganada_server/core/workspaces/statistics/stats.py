"""Statistics of a workspace, computed from the log on request, so that they never drift from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import LabelSummary, LogSummary, SampleFacts

from .label_audit import LabelAudit, NearDuplicate, Suspect

_FEW_SAMPLES = 3
_MAX_CONFUSIONS = 20
_MAX_TEACH_NEXT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStats:
    """Statistics of one form. class_id: its number; see WorkspaceLog.class_ids. accuracy: prequential, without the
    first sample; None with one sample.
    """

    label: str
    class_id: int
    canonical: str
    samples: int
    average_loss: float
    accuracy: float | None
    newest_sample_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """One taught sample; points are in the order of teaching."""

    revision: int
    time_us: int
    loss: float
    recognized: bool
    new_label: bool
    label: str


@dataclass(frozen=True, slots=True)
class TeachNext:
    """A label worth teaching next: it has few samples, or it is confused with another one ("" = it is not)."""

    label: str
    confused_with: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Statistics of one workspace at one revision; rpc adds those of the server."""

    revision: int
    samples_total: int
    labels_known: int
    variant_groups: int
    links: Mapping[str, str]
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


def compute_stats(log: WorkspaceLog, knowledge: Knowledge, history_points: int, audit: LabelAudit) -> Stats:
    """Compute the statistics of the current state, with the newest `history_points` of its history."""
    summary = log.summarize(_MAX_CONFUSIONS)
    class_ids = _find_class_ids(log, summary, knowledge)
    labels = tuple(_to_label_stats(label, class_ids, knowledge) for label in summary.labels)
    confused = tuple((found.label, found.predicted, found.samples) for found in summary.confusions)
    return Stats(
        revision=knowledge.revision,
        samples_total=summary.samples,
        labels_known=len(labels),
        variant_groups=knowledge.variants.count_groups(),
        links=knowledge.variants.canonical_of,
        average_loss=summary.average_loss,
        min_loss=summary.min_loss,
        max_loss=summary.max_loss,
        accuracy=summary.recognized / summary.tested if summary.tested else None,
        accuracy_samples=summary.tested,
        corrections=summary.corrections,
        labels=labels,
        history=tuple(map(_to_history_point, log.sample_facts(history_points))),
        confused=confused,
        teach_next=_choose_labels_to_teach(labels, confused),
        suspects=audit.suspects,
        near_duplicates=audit.near_duplicates,
        bytes_on_disk=log.bytes_on_disk(),
        samples_to_embed=knowledge.stale.count,
    )


def _find_class_ids(log: WorkspaceLog, summary: LogSummary, knowledge: Knowledge) -> Mapping[str, int]:
    """Return the numbers of all labels in `summary`, which may be newer than `knowledge`."""
    known = knowledge.class_ids
    return known if all(label.label in known for label in summary.labels) else log.class_ids()


def _to_label_stats(summary: LabelSummary, class_ids: Mapping[str, int], knowledge: Knowledge) -> LabelStats:
    return LabelStats(
        label=summary.label,
        class_id=class_ids[summary.label],
        canonical=knowledge.variants.canonical(summary.label),
        samples=summary.samples,
        average_loss=summary.average_loss,
        accuracy=summary.recognized / (summary.samples - 1) if summary.samples > 1 else None,
        newest_sample_id=summary.newest_sample_id,
    )


def _to_history_point(fact: SampleFacts) -> HistoryPoint:
    return HistoryPoint(
        revision=fact.revision,
        time_us=fact.time_us,
        loss=fact.loss,
        recognized=fact.predicted == fact.label and not fact.new_label,
        new_label=fact.new_label,
        label=fact.label,
    )


def _choose_labels_to_teach(
    labels: Sequence[LabelStats], confused: Sequence[tuple[str, str, int]]
) -> tuple[TeachNext, ...]:
    """Return labels that are confused with others, then those with the fewest samples."""
    confused_with = {label: predicted for label, predicted, _ in reversed(confused)}
    few = sorted((label for label in labels if label.samples < _FEW_SAMPLES), key=lambda label: label.samples)
    advice = [TeachNext(label, confused_with[label]) for label, *_ in confused if label in confused_with]
    advice += [TeachNext(label.label) for label in few if label.label not in confused_with]
    return tuple(dict.fromkeys(advice))[:_MAX_TEACH_NEXT]
