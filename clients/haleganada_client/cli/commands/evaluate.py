"""evaluate: measure models on a data set."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.files.dataset_lookup import dataset_named
from haleganada_client.cli.layout import counted, percent, printable, table
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.text.job_bar import followed, goes_on
from haleganada_client.limits import QUICK_EVALUATION_DRAWINGS

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.evaluation import (
        ClassConfusion,
        EvaluatedPart,
        Interval,
        ModelDisagreements,
        ModelMetrics,
        WorstClass,
    )
    from haleganada_client.jobs import Job

_SHOWN = 10
"""Labels and pairs of a model that are listed; the files have all."""


@click.command("evaluate")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--data", "dataset", required=True, metavar="NAME", help="The data set: its id, or its name.")
@click.option("--quick", is_flag=True, help=f"Only the accuracy, on at most {QUICK_EVALUATION_DRAWINGS:,} drawings.")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Save pictures and figures there."
)
@with_session
def evaluate_command(
    session: Session, models: tuple[str, ...], dataset: str, quick: bool, detach: bool, out: Path | None
) -> None:
    """Measure models on a data set's test part, several each and together. `few-shot` is the embedder and head, taught
    with the training part.

    DIR gets evaluation_results.json and, unless --quick is given, for each model classification_report.json, its
    confusion matrix (.png; .html, to zoom into with a browser; .npz), class_accuracy.png and confused_pairs.png. With
    several models the files begin with each one's id, and disagreements.png shows where they differ.

    \b
    haleganada evaluate mine --data digits --out report/
    haleganada evaluate mine few-shot --data digits
    """
    if detach and out is not None:
        raise click.UsageError("files are there at the end only; leave --detach or --out away")
    with session.client() as client:
        job = client.jobs.start_evaluation(models, dataset_named(client, dataset), quick=quick)
        if not detach:
            job = followed(session, client, job)
        saved = saved_files(client, job, out) if out is not None else []
    text = [goes_on(session, job) if detach else measured(job), *_written(job, saved)]
    if job.files and out is None:
        fetch = session.command_line("jobs", "files", job.job_id, "--to", "FOLDER")
        text.append(f"\n`{fetch}` fetches {counted(len(job.files), 'file')}")
    session.show(job, "\n".join(text))
    if not detach and job.state.value != "succeeded":
        sys.exit(1)


def saved_files(client: HaleganadaClient, job: Job, folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Write a job's files, all or those that are named, to a folder, made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = names or [file.name for file in job.files]
    targets = [folder / Path(name).name for name in wanted]
    for name, target in zip(wanted, targets, strict=True):
        client.jobs.file(job.job_id, name, target)
    return targets


def _written(job: Job, saved: Sequence[Path]) -> list[str]:
    """A line for each file, with the name of the model that it is about where there are several."""
    result = job.evaluation.result if job.evaluation else None
    models = result.models if result else ()
    about = {name: f", of {printable(model.display_name)}" for model in models for name in model.files}
    return [f"wrote {path}{about.get(path.name, '') if len(models) > 1 else ''}" for path in saved]


def measured(job: Job) -> str:
    """What an evaluation found, for people."""
    result = job.evaluation.result if job.evaluation else None
    if result is None:
        why = f" ({job.error_reason}): {printable(job.error)}" if job.error else ""
        return f"the evaluation {'failed' if job.error else 'was cancelled'}{why}"
    blocks = [_heading(result.dataset), _comparison(result.models)]
    blocks += [_details(model) for model in result.models if model.macro]
    blocks += [_disagreements(result.disagreements) if result.disagreements else ""]
    blocks += ["\n".join(f"note: {printable(note)}" for note in result.notes)]
    return "\n\n".join(block for block in blocks if block)


def _heading(data: EvaluatedPart) -> str:
    drawings, labels = counted(data.drawings, "drawing"), counted(data.labels, "label")
    return f"{printable(data.name)}, {data.part} part: {drawings} of {labels}"


def _comparison(models: Sequence[ModelMetrics]) -> str:
    """A line for each model."""
    rows = [
        [
            model.display_name,
            percent(model.accuracy),
            _interval(model.accuracy_interval),
            percent(model.macro.f1_score if model.macro else None),
            percent(model.weighted.f1_score if model.weighted else None),
            percent(model.top5_accuracy),
            f"{model.latency_ms:.1f}" if model.latency_ms else "-",
        ]
        for model in models
    ]
    header = ["model", "right", "95 % interval", "macro F1", "weighted F1", "top 5", "ms"]
    return table(rows, header, right={1, 3, 4, 5, 6})


def _interval(interval: Interval | None) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}" if interval else "-"


def _details(model: ModelMetrics) -> str:
    """Where one model errs."""
    name, parts = printable(model.display_name), []
    if worst := [entry for entry in model.worst_classes if entry.accuracy < 1][:_SHOWN]:
        rows = [["", entry.label, percent(entry.accuracy), f"of {entry.support}", _taken_for(entry)] for entry in worst]
        parts.append(f"{name}, worst labels:\n{table(rows, right={2})}")
    if pairs := model.confusions[:_SHOWN]:
        rows = [["", ", ".join(_directions(pair))] for pair in pairs]
        parts.append(f"{name}, most confused:\n{table(rows)}")
    if model.unknown_classes.count:
        parts.append(f"{name} does not know {model.unknown_classes.count} of the labels")
    return "\n\n".join(parts)


def _directions(pair: ClassConfusion) -> list[str]:
    """Which of the two was taken for the other, the more frequent error first."""
    first, second = pair.first_label, pair.second_label
    both = [(pair.first_as_second, first, second), (pair.second_as_first, second, first)]
    return [f"{label} taken for {other} ({times}x)" for times, label, other in sorted(both, reverse=True) if times]


def _taken_for(entry: WorstClass) -> str:
    return f"taken for {entry.mistaken_for} ({entry.mistaken_count}x)" if entry.mistaken_for else ""


def _disagreements(found: ModelDisagreements) -> str:
    if not found.count:
        return f"the models agree on every drawing; they are right on {percent(found.any_correct)}"
    return (
        f"the models disagree on {counted(found.count, 'drawing')} ({percent(found.share)}); "
        f"one of them at least is right on {percent(found.any_correct)}"
    )
