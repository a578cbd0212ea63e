"""The result of an evaluation -> messages. It is the JSON of evaluation_results.json, as training/evaluation writes it.

What is missing stays unset: a quick evaluation finds less, and so did older versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haleganada.v1 import dataset_service_pb2 as datasets
from haleganada.v1 import evaluation_pb2 as pb

_PARTS = {
    "train": datasets.DATASET_PART_TRAIN,
    "validation": datasets.DATASET_PART_VALIDATION,
    "test": datasets.DATASET_PART_TEST,
}
_SAME_NAMES = (
    "model_id",
    "name",
    "sha256",
    "preset",
    "parameters",
    "member_names",
    "accuracy",
    "correct",
    "labels",
    "top5_accuracy",
    "expected_calibration_error",
    "expected_calibration_error_if_known",
    "mean_confidence",
    "answered_unknown",
    "files",
)

Entry = Mapping[str, Any]


def result(entry: Entry) -> pb.EvaluationResult:
    """entry: the content of evaluation_results.json."""
    disagreements = entry.get("disagreements")
    return pb.EvaluationResult(
        dataset=_dataset(entry.get("dataset", {})),
        notes=entry.get("notes"),
        models=map(_model, entry.get("models", ())),
        disagreements=_disagreements(disagreements) if disagreements else None,
    )


def _dataset(entry: Entry) -> pb.EvaluatedPart:
    return pb.EvaluatedPart(
        name=entry.get("name", ""),
        sha256=entry.get("sha256", ""),
        part=_PARTS.get(entry.get("part", ""), datasets.DATASET_PART_UNSPECIFIED),
        drawings=entry.get("drawings", 0),
        drawings_in_part=entry.get("drawings_in_part", 0),
        labels=entry.get("labels", 0),
    )


def _model(entry: Entry) -> pb.ModelMetrics:
    trained_on, interval = entry.get("trained_on", {}), entry.get("accuracy_interval")
    unknown = entry.get("labels_not_known", {})
    return pb.ModelMetrics(
        **{name: entry[name] for name in _SAME_NAMES if name in entry},
        display_name=entry.get("shown_as", ""),
        trained_on=trained_on.get("name"),
        trained_on_sha256=trained_on.get("sha256"),
        taught=pb.TeachingCounts(**entry["taught"]) if entry.get("taught") else None,
        member_ids=entry.get("members"),
        accuracy_interval=pb.Interval(low=interval[0], high=interval[1]) if interval else None,
        drawings=entry.get("n", 0),
        unknown_classes=pb.UnknownClasses(**unknown),
        unknown_drawings=pb.UnknownDrawings(**entry.get("unknown_drawings", {})),
        latency_ms=entry.get("milliseconds"),
        macro=_average(entry.get("macro")),
        weighted=_average(entry.get("weighted")),
        classes=_classes(entry.get("per_class", {})),
        worst_classes=map(_worst, entry.get("worst", ())),
        confusions=map(_confusion, entry.get("confused_pairs", ())),
        lines=_lines(entry["lines"]) if "lines" in entry else None,
    )


def _lines(entry: Entry) -> pb.LineMetrics:
    return pb.LineMetrics(
        characters=_error_rate(entry["character_error_rate"]),
        words=_error_rate(entry["word_error_rate"]),
        confusions=[pb.CharacterConfusion(**one) for one in entry["confusions"]],
    )


def _error_rate(entry: Entry) -> pb.ErrorRate:
    interval = pb.Interval(low=entry["low"], high=entry["high"])
    return pb.ErrorRate(rate=entry["rate"], interval=interval, edits=entry["edits"], length=entry["length"])


def _average(entry: Entry | None) -> pb.AverageMetrics | None:
    if entry is None:
        return None
    return pb.AverageMetrics(precision=entry["precision"], recall=entry["recall"], f1_score=entry["f1-score"])


def _classes(columns: Entry) -> list[pb.ClassMetrics]:
    names = ("label", "precision", "recall", "f1", "support")
    rows = zip(*(columns.get(name, ()) for name in names), strict=True)
    return [
        pb.ClassMetrics(label=label, precision=precision, recall=recall, f1_score=f1, support=support)
        for label, precision, recall, f1, support in rows
    ]


def _worst(entry: Entry) -> pb.WorstClass:
    return pb.WorstClass(
        label=entry["label"],
        accuracy=entry["accuracy"],
        correct=entry["correct"],
        support=entry["support"],
        mistaken_for=entry["read_as"],
        mistaken_count=entry["times"],
    )


def _confusion(entry: Entry) -> pb.ClassConfusion:
    return pb.ClassConfusion(
        first_label=entry["labels"][0],
        second_label=entry["labels"][1],
        first_as_second=entry["first_as_second"],
        second_as_first=entry["second_as_first"],
        first_items=entry["items"][0],
        second_items=entry["items"][1],
    )


def _disagreements(entry: Entry) -> pb.ModelDisagreements:
    return pb.ModelDisagreements(
        count=entry["count"],
        share=entry["share"],
        any_correct=entry["some_right"],
        model_ids=entry["answers_of"],
        model_names=entry["answers_of_names"],
        examples=[pb.DisagreementExample(**example) for example in entry["examples"]],
        files=entry["files"],
    )
