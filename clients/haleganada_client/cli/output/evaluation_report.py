"""The result of an evaluation, in words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from haleganada_client.cli.formatting import format_count, format_percent, format_table, printable

if TYPE_CHECKING:
    from haleganada_client.training.evaluation import (
        ClassConfusion,
        ErrorRate,
        EvaluatedPart,
        EvaluationResult,
        Interval,
        ModelDisagreements,
        ModelMetrics,
        WorstClass,
    )
    from haleganada_client.training.jobs import Job

_MAX_SHOWN = 10
"""How many labels and pairs of a model are listed; the files have all."""


def format_evaluation(job: Job) -> str:
    """Return what an evaluation found, or why it ended early."""
    result = job.evaluation.result if job.evaluation else None
    if result is None:
        why = f" ({job.error_reason}): {printable(job.error)}" if job.error else ""
        return f"the evaluation {'failed' if job.error else 'was cancelled'}{why}"
    if any(model.lines for model in result.models):
        return _format_lines(result)
    blocks = [_heading(result.dataset), _compare_models(result.models)]
    blocks += [_describe_errors(model) for model in result.models if model.macro]  # a quick evaluation has no averages
    blocks += [_describe_disagreements(result.disagreements) if result.disagreements else ""]
    blocks += ["\n".join(f"note: {printable(note)}" for note in result.notes)]
    return "\n\n".join(block for block in blocks if block)


def _format_lines(result: EvaluationResult) -> str:
    """Return how models read lines."""
    part = result.dataset
    blocks = [f"{printable(part.name)}, {part.part} part: {format_count(part.drawings, 'line')}"]
    read = [(model, model.lines) for model in result.models if model.lines]
    rows = [
        [
            model.display_name,
            *(cell for rate in (own.characters, own.words) for cell in _describe_rate(rate)),
            f"{model.correct:,}",
            f"{model.latency_ms:.1f}" if model.latency_ms else "-",
        ]
        for model, own in read
    ]
    header = ["model", "CER", "95 % interval", "WER", "95 % interval", "without error", "ms"]
    blocks.append(format_table(rows, header, right={1, 3, 5, 6}))
    for model, own in read:
        pairs = [f"{_quote(one.right)} as {_quote(one.read)} ({one.count}x)" for one in own.confusions[:_MAX_SHOWN]]
        if pairs:
            blocks.append(f"{printable(model.display_name)}, most often read: {printable(', '.join(pairs))}")
    blocks.append("\n".join(f"note: {printable(note)}" for note in result.notes))
    return "\n\n".join(block for block in blocks if block)


def _quote(character: str) -> str:
    return f"“{character}”" if character else "nothing"


def _describe_rate(rate: ErrorRate) -> tuple[str, str]:
    return format_percent(rate.rate), _format_interval(rate.interval)


def describe_written_files(job: Job, paths: Sequence[Path]) -> list[str]:
    """Return a line for each file, with the model's name if there are several models."""
    result = job.evaluation.result if job.evaluation else None
    models = result.models if result else ()
    if len(models) < 2:
        return [f"wrote {path}" for path in paths]
    owners = {name: f", for {printable(model.display_name)}" for model in models for name in model.files}
    return [f"wrote {path}{owners.get(path.name, '')}" for path in paths]


def _heading(part: EvaluatedPart) -> str:
    drawings, labels = format_count(part.drawings, "drawing"), format_count(part.labels, "label")
    return f"{printable(part.name)}, {part.part} part: {drawings} of {labels}"


def _compare_models(models: Sequence[ModelMetrics]) -> str:
    rows = [
        [
            model.display_name,
            format_percent(model.accuracy),
            _format_interval(model.accuracy_interval),
            format_percent(model.macro.f1_score if model.macro else None),
            format_percent(model.weighted.f1_score if model.weighted else None),
            format_percent(model.top5_accuracy),
            f"{model.latency_ms:.1f}" if model.latency_ms else "-",
        ]
        for model in models
    ]
    header = ["model", "accuracy", "95 % interval", "macro F1", "weighted F1", "top 5", "ms"]
    return format_table(rows, header, right={1, 3, 4, 5, 6})


def _format_interval(interval: Interval | None) -> str:
    return f"{format_percent(interval.low)} to {format_percent(interval.high)}" if interval else "-"


def _describe_errors(model: ModelMetrics) -> str:
    """Return one model's worst labels and most confused pairs."""
    name, parts = printable(model.display_name), []
    if worst := [label for label in model.worst_classes if label.accuracy < 1][:_MAX_SHOWN]:
        rows = [
            ["", label.label, format_percent(label.accuracy), f"of {label.support}", _describe_mistake(label)]
            for label in worst
        ]
        parts.append(f"{name}, worst labels:\n{format_table(rows, right={2})}")
    if pairs := model.confusions[:_MAX_SHOWN]:
        rows = [["", ", ".join(_describe_pair(pair))] for pair in pairs]
        parts.append(f"{name}, most confused:\n{format_table(rows)}")
    if model.unknown_classes.count:
        parts.append(f"{name} does not know {model.unknown_classes.count} of the labels")
    if (unknown := model.unknown_drawings).drawings:
        parts.append(f"{name} calls {unknown.rejected:,} of {unknown.drawings:,} drawings of no label unknown")
    return "\n\n".join(parts)


def _describe_mistake(label: WorstClass) -> str:
    return f"mistaken for {label.mistaken_for} ({label.mistaken_count}x)" if label.mistaken_for else ""


def _describe_pair(pair: ClassConfusion) -> list[str]:
    """Say which label was mistaken for which, the more frequent error first."""
    first, second = pair.first_label, pair.second_label
    both = [(pair.first_as_second, first, second), (pair.second_as_first, second, first)]
    return [f"{label} mistaken for {other} ({times}x)" for times, label, other in sorted(both, reverse=True) if times]


def _describe_disagreements(found: ModelDisagreements) -> str:
    if not found.count:
        return f"the models agree on every drawing; they are right on {format_percent(found.any_correct)}"
    return (
        f"the models disagree on {format_count(found.count, 'drawing')} ({format_percent(found.share)}); "
        f"at least one of them is right on {format_percent(found.any_correct)}"
    )
