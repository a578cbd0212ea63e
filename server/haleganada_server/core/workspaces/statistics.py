"""Figures of a workspace, computed from the log whenever they are asked for, so that they never drift from it."""

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
_CONFUSED_SHOWN = 20
_TEACH_NEXT_SHOWN = 10


@dataclass(frozen=True, slots=True)
class LabelStats:
    """Figures of one form. class_id: its number; see WorkspaceLog.class_ids. accuracy: prequential, without the first
    sample; None with one sample.
    """

    label: str
    class_id: int
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
    recognized: bool
    new_label: bool
    label: str


@dataclass(frozen=True, slots=True)
class TeachNext:
    """A label worth teaching next: it has few samples, or (confused_with set) it is taken for another."""

    label: str
    confused_with: str = ""


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


def collect(log: WorkspaceLog, knowledge: Knowledge, history_points: int, audit: LabelAudit) -> Stats:
    """All figures of the present state, with the newest history_points of its history."""
    facts = log.facts()
    losses = [fact.loss for fact in facts]
    tested = [fact for fact in facts if not fact.new_label]
    labels = tuple(_label_stats(facts, _class_ids(log, facts, knowledge), knowledge))
    confused = _confused(tested)
    return Stats(
        revision=knowledge.revision,
        samples_total=len(facts),
        labels_known=len(labels),
        variant_groups=knowledge.variants.groups(),
        average_loss=fmean(losses) if losses else None,
        min_loss=min(losses, default=None),
        max_loss=max(losses, default=None),
        accuracy=_accuracy(tested),
        accuracy_samples=len(tested),
        corrections=sum(fact.correction for fact in facts),
        labels=labels,
        history=tuple(_history_point(fact) for fact in (facts[-history_points:] if history_points else [])),
        confused=confused,
        teach_next=_teach_next(labels, confused),
        suspects=audit.suspects,
        near_duplicates=audit.near_duplicates,
        bytes_on_disk=log.bytes_on_disk(),
        samples_to_embed=knowledge.stale.count,
    )


def _accuracy(tested: Sequence[SampleFacts]) -> float | None:
    return fmean(fact.predicted == fact.label for fact in tested) if tested else None


def _class_ids(log: WorkspaceLog, facts: Sequence[SampleFacts], knowledge: Knowledge) -> Mapping[str, int]:
    """Return the numbers of all labels in `facts`, which may be newer than `knowledge`."""
    known = knowledge.class_ids
    return known if all(fact.label in known for fact in facts) else log.class_ids()


def _label_stats(facts: Sequence[SampleFacts], class_ids: Mapping[str, int], knowledge: Knowledge) -> list[LabelStats]:
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
            accuracy=_accuracy(own[1:]),
            newest_sample_id=own[-1].sample_id,
        )
        for label, own in by_label.items()
    ]


def _history_point(fact: SampleFacts) -> HistoryPoint:
    return HistoryPoint(
        fact.revision,
        fact.time_us,
        fact.loss,
        fact.predicted == fact.label and not fact.new_label,
        fact.new_label,
        fact.label,
    )


def _confused(tested: Sequence[SampleFacts]) -> tuple[tuple[str, str, int], ...]:
    wrong = Counter((fact.label, fact.predicted) for fact in tested if fact.predicted not in ("", fact.label))
    return tuple((label, predicted, count) for (label, predicted), count in wrong.most_common(_CONFUSED_SHOWN))


def _teach_next(labels: Sequence[LabelStats], confused: Sequence[tuple[str, str, int]]) -> tuple[TeachNext, ...]:
    """Labels that are taken for others first, then those with the fewest samples."""
    mixed_up = {label: predicted for label, predicted, _ in reversed(confused)}
    few = sorted((label for label in labels if label.samples < _FEW_SAMPLES), key=lambda label: label.samples)
    advice = [TeachNext(label, mixed_up[label]) for label, *_ in confused if label in mixed_up]
    advice += [TeachNext(label.label) for label in few if label.label not in mixed_up]
    return tuple(dict.fromkeys(advice))[:_TEACH_NEXT_SHOWN]
