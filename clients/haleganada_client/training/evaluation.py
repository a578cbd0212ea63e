"""The result of an evaluation as frozen dataclasses, with the names of the contract. Shares and accuracies are 0..1.

A quick evaluation sets of ModelMetrics only what comes before `top5_accuracy`; the rest is None or empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from haleganada.v1 import dataset_service_pb2 as datasets
from haleganada.v1 import evaluation_pb2 as pb

from ..wire.convert import from_message, to_tuple


@dataclass(frozen=True, kw_only=True)
class EvaluatedPart:
    """What the models were evaluated on. part: train, validation or test. sha256: of the data set."""

    name: str
    sha256: str
    part: str
    drawings: int
    drawings_in_part: int
    labels: int


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval of a share."""

    low: float
    high: float


@dataclass(frozen=True)
class AverageMetrics:
    """Averages over the labels that have drawings."""

    precision: float
    recall: float
    f1_score: float


@dataclass(frozen=True)
class ClassMetrics:
    """Metrics of one label. support: its drawings."""

    label: str
    precision: float
    recall: float
    f1_score: float
    support: int


@dataclass(frozen=True, kw_only=True)
class WorstClass:
    """A label that is often mistaken for others, most often for `mistaken_for` ("" = for none)."""

    label: str
    accuracy: float
    correct: int
    support: int
    mistaken_for: str
    mistaken_count: int


@dataclass(frozen=True, kw_only=True)
class ClassConfusion:
    """Two labels that are mistaken for one another. Items: example drawings, as row numbers of the data set."""

    first_label: str
    second_label: str
    first_as_second: int
    second_as_first: int
    first_items: tuple[int, ...]
    second_items: tuple[int, ...]


@dataclass(frozen=True)
class UnknownClasses:
    """Labels of the data set that a model does not know (at most 30 of `count`), and their number of drawings."""

    count: int
    drawings: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class UnknownDrawings:
    """The drawings of the data set that have none of its labels, and how many of them the model called unknown."""

    drawings: int
    rejected: int


@dataclass(frozen=True)
class TeachingCounts:
    """What the few-shot head was taught with: drawings in all, and of the labels with the fewest and the most."""

    drawings: int
    labels: int
    fewest: int
    median: float
    most: int


@dataclass(frozen=True)
class ErrorRate:
    """Edits divided by the length of what is right, in characters or words, with the 95 % interval of the rate."""

    rate: float
    interval: Interval
    edits: int
    length: int


@dataclass(frozen=True)
class CharacterConfusion:
    """A character that was read as another one; "" for none."""

    right: str
    read: str
    count: int


@dataclass(frozen=True)
class LineMetrics:
    """How a model reads lines. confusions: the most frequent first, at most 40."""

    characters: ErrorRate
    words: ErrorRate
    confusions: tuple[CharacterConfusion, ...]


@dataclass(frozen=True, kw_only=True)
class ModelMetrics:
    """Metrics of one model. model_id: "ensemble" for all models together. display_name: tells models of one name apart.
    taught: for "few-shot"; member_ids, member_names: for "ensemble"; preset, parameters, trained_on: for the others.
    lines: how it reads lines, None for drawings; then drawings counts lines, and accuracy is one minus the character
    error rate, 0 at least.
    """

    model_id: str
    name: str
    display_name: str
    sha256: str
    preset: str
    parameters: int
    trained_on: str
    trained_on_sha256: str
    taught: TeachingCounts | None
    member_ids: tuple[str, ...]
    member_names: tuple[str, ...]
    accuracy: float
    accuracy_interval: Interval | None
    correct: int
    drawings: int
    labels: int
    unknown_classes: UnknownClasses
    top5_accuracy: float | None
    expected_calibration_error: float | None
    expected_calibration_error_if_known: float | None
    mean_confidence: float | None
    answered_unknown: float | None
    latency_ms: float | None
    macro: AverageMetrics | None
    weighted: AverageMetrics | None
    classes: tuple[ClassMetrics, ...]
    worst_classes: tuple[WorstClass, ...]
    confusions: tuple[ClassConfusion, ...]
    files: tuple[str, ...]
    unknown_drawings: UnknownDrawings
    lines: LineMetrics | None = None


@dataclass(frozen=True)
class DisagreementExample:
    """A drawing (row number of the data set) that models answer differently, in the order of model_ids."""

    item: int
    label: str
    answers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModelDisagreements:
    """Where models answer differently. any_correct: share of the drawings on which at least one model is right."""

    count: int
    share: float
    any_correct: float
    model_ids: tuple[str, ...]
    model_names: tuple[str, ...]
    examples: tuple[DisagreementExample, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation found. disagreements: None with one model, and in a quick evaluation."""

    dataset: EvaluatedPart
    notes: tuple[str, ...]
    models: tuple[ModelMetrics, ...]
    disagreements: ModelDisagreements | None


def evaluation_result(message: pb.EvaluationResult) -> EvaluationResult:
    part = datasets.DatasetPart.Name(message.dataset.part).removeprefix("DATASET_PART_").lower()
    return from_message(
        EvaluationResult,
        message,
        dataset=from_message(EvaluatedPart, message.dataset, part=part),
        models=to_tuple(_model, message.models),
        disagreements=_disagreements(message.disagreements) if message.HasField("disagreements") else None,
    )


def _model(message: pb.ModelMetrics) -> ModelMetrics:
    parts = {
        "taught": TeachingCounts,
        "accuracy_interval": Interval,
        "unknown_classes": UnknownClasses,
        "unknown_drawings": UnknownDrawings,
        "macro": AverageMetrics,
        "weighted": AverageMetrics,
    }
    lists = {"classes": ClassMetrics, "worst_classes": WorstClass, "confusions": ClassConfusion}
    special: dict[str, Any] = {
        name: from_message(kind, getattr(message, name)) if message.HasField(name) else None  # type: ignore[arg-type]
        for name, kind in parts.items()
    }
    for name, kind in lists.items():
        special[name] = tuple(from_message(kind, entry) for entry in getattr(message, name))
    special["lines"] = _lines(message.lines) if message.HasField("lines") else None
    return from_message(ModelMetrics, message, **special)


def _lines(message: pb.LineMetrics) -> LineMetrics:
    confusions = to_tuple(lambda one: from_message(CharacterConfusion, one), message.confusions)
    return LineMetrics(_error_rate(message.characters), _error_rate(message.words), confusions)


def _error_rate(message: pb.ErrorRate) -> ErrorRate:
    return from_message(ErrorRate, message, interval=from_message(Interval, message.interval))


def _disagreements(message: pb.ModelDisagreements) -> ModelDisagreements:
    examples = to_tuple(lambda example: from_message(DisagreementExample, example), message.examples)
    return from_message(ModelDisagreements, message, examples=examples)
