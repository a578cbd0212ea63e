"""Statistics of a workspace, computed from the log on request, so that they never drift from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from haleganada_server.core.knowledge.knowledge import Knowledge
from haleganada_server.core.sample_log.ports import WorkspaceLog
from haleganada_server.core.sample_log.rows import SampleFacts

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
    facts = log.sample_facts()
    losses = [fact.loss for fact in facts]
    tested = [fact for fact in facts if not fact.new_label]
    labels = tuple(_compute_label_stats(facts, _find_class_ids(log, facts, knowledge), knowledge))
    confused = _count_confusions(tested)
    return Stats(
        revision=knowledge.revision,
        samples_total=len(facts),
        labels_known=len(labels),
        variant_groups=knowledge.variants.count_groups(),
        average_loss=fmean(losses) if losses else None,
        min_loss=min(losses, default=None),
        max_loss=max(losses, default=None),
        accuracy=_mean_accuracy(tested),
        accuracy_samples=len(tested),
        corrections=sum(fact.correction for fact in facts),
        labels=labels,
        history=tuple(_to_history_point(fact) for fact in (facts[-history_points:] if history_points else [])),
        confused=confused,
        teach_next=_choose_labels_to_teach(labels, confused),
        suspects=audit.suspects,
        near_duplicates=audit.near_duplicates,
        bytes_on_disk=log.bytes_on_disk(),
        samples_to_embed=knowledge.stale.count,
    )


def _mean_accuracy(tested: Sequence[SampleFacts]) -> float | None:
    return fmean(fact.predicted == fact.label for fact in tested) if tested else None


def _find_class_ids(log: WorkspaceLog, facts: Sequence[SampleFacts], knowledge: Knowledge) -> Mapping[str, int]:
    """Return the numbers of all labels in `facts`, which may be newer than `knowledge`."""
    known = knowledge.class_ids
    return known if all(fact.label in known for fact in facts) else log.class_ids()


def _compute_label_stats(
    facts: Sequence[SampleFacts], class_ids: Mapping[str, int], knowledge: Knowledge
) -> list[LabelStats]:
    by_label: dict[str, list[SampleFacts]] = {}
    for fact in facts:
        by_label.setdefault(fact.label, []).append(fact)
    return [
        LabelStats(
            label=label,
            class_id=class_ids[label],
            canonical=knowledge.variants.canonical(label),
            samples=len(own),
            average_loss=fmean(fact.loss for fact in own),
            accuracy=_mean_accuracy(own[1:]),
            newest_sample_id=own[-1].sample_id,
        )
        for label, own in by_label.items()
    ]


def _to_history_point(fact: SampleFacts) -> HistoryPoint:
    return HistoryPoint(
        revision=fact.revision,
        time_us=fact.time_us,
        loss=fact.loss,
        recognized=fact.predicted == fact.label and not fact.new_label,
        new_label=fact.new_label,
        label=fact.label,
    )


def _count_confusions(tested: Sequence[SampleFacts]) -> tuple[tuple[str, str, int], ...]:
    wrong = Counter((fact.label, fact.predicted) for fact in tested if fact.predicted not in ("", fact.label))
    return tuple((label, predicted, count) for (label, predicted), count in wrong.most_common(_MAX_CONFUSIONS))


def _choose_labels_to_teach(
    labels: Sequence[LabelStats], confused: Sequence[tuple[str, str, int]]
) -> tuple[TeachNext, ...]:
    """Return labels that are confused with others, then those with the fewest samples."""
    confused_with = {label: predicted for label, predicted, _ in reversed(confused)}
    few = sorted((label for label in labels if label.samples < _FEW_SAMPLES), key=lambda label: label.samples)
    advice = [TeachNext(label, confused_with[label]) for label, *_ in confused if label in confused_with]
    advice += [TeachNext(label.label) for label in few if label.label not in confused_with]
    return tuple(dict.fromkeys(advice))[:_MAX_TEACH_NEXT]
