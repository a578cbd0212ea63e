"""jobs: what the server trains and measures, and has trained and measured."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.layout import moment, percent, size, table
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.text.job_bar import duration, followed

from .evaluate import measured, saved_files
from .fit import trained

if TYPE_CHECKING:
    from haleganada_client.jobs import EpochMetrics, Job, TrainingJob


@click.group("jobs", cls=DefaultGroup)
def jobs_command() -> None:
    """List jobs (ls, also without the word), look at one, watch, cancel or delete it, fetch its files."""


@jobs_command.command("ls")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many at most.")
@with_session
def list_jobs(session: Session, limit: int) -> None:
    """List jobs, newest first."""
    with session.client() as client:
        found = client.jobs.list(limit)
    header = ["job", "what", "state", "asked for", "model", ""]
    session.show(found, table([_row(job) for job in found], header) if found else "no jobs")


@jobs_command.command("show")
@click.argument("job_id")
@with_session
def show_job(session: Session, job_id: str) -> None:
    """Tell all of job JOB_ID."""
    with session.client() as client:
        job = client.jobs.get(job_id)
    session.show(job, _in_words(session, job))


@jobs_command.command("watch")
@click.argument("job_id")
@with_session
def watch_job(session: Session, job_id: str) -> None:
    """Watch job JOB_ID until it is over. Exit code 1 if it failed or was cancelled."""
    with session.client() as client:
        job = followed(session, client, client.jobs.get(job_id))
    session.show(job, _ended(session, job))
    if job.state.value != "succeeded":
        sys.exit(1)


@jobs_command.command("cancel")
@click.argument("job_id")
@with_session
def cancel_job(session: Session, job_id: str) -> None:
    """End job JOB_ID. A training keeps the best state so far as a model."""
    with session.client() as client:
        job = client.jobs.cancel(job_id)
    if job.state.over:
        text = f"job {job.job_id}: {job.state.value}"
    else:
        watch = session.command_line("jobs", "watch", job.job_id)
        text = f"job {job.job_id} finishes up; `{watch}` shows when it is over"
    session.show(job, text)


@jobs_command.command("delete")
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB_ID...")
@with_session
def delete_jobs(session: Session, job_ids: tuple[str, ...]) -> None:
    """Delete jobs that are over, with their reports, curves and logs. Models that came of them stay."""
    deleted: list[str] = []
    try:
        with session.client() as client:
            for job_id in job_ids:
                client.jobs.delete(job_id)
                deleted.append(job_id)
    finally:  # one that cannot be deleted does not hide those before it
        if deleted:
            session.show({"deleted": deleted}, "\n".join(f"deleted job {job_id}" for job_id in deleted))


@jobs_command.command("files")
@click.argument("job_id")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Fetch them to there.")
@with_session
def job_files(session: Session, job_id: str, names: tuple[str, ...], to: Path | None) -> None:
    """List the files of job JOB_ID, or fetch them: all, or those that are named."""
    if names and to is None:
        raise click.UsageError("say where the files shall go, with --to FOLDER")
    with session.client() as client:
        job = client.jobs.get(job_id)
        saved = saved_files(client, job, to, names) if to is not None else []
    if to is not None:
        session.show([str(path) for path in saved], "\n".join(f"wrote {path}" for path in saved) or "no files")
    else:
        rows = [[file.name, size(file.size_bytes)] for file in job.files]
        session.show(job.files, table(rows, ["file", "size"], right={1}) if rows else "no files")


def _row(job: Job) -> list[str]:
    progress = job.progress
    share = f"{percent(progress.done / progress.total)} of {progress.stage}" if progress.total else progress.stage
    model_id = job.training.model_id if job.training else ""
    news = share if job.state.value == "running" else job.error_reason
    return [job.job_id, _what(job), _state(job), moment(job.create_time), model_id or "-", news]


def _state(job: Job) -> str:
    """One that was cancelled and finishes up runs no more as it did."""
    return "ending" if job.cancelling else job.state.value


def _what(job: Job) -> str:
    if job.training:
        return f"{job.training.preset} on {job.training.dataset_name}: {job.training.model_name}"
    assert job.evaluation is not None, "every job is one of the two"
    return f"evaluation of {', '.join(m.name for m in job.evaluation.models)} on {job.evaluation.dataset_name}"


def _in_words(session: Session, job: Job) -> str:
    facts = [["job", job.job_id], ["what", _what(job)], ["state", _state(job)], ["asked for", moment(job.create_time)]]
    facts += [[name, moment(time)] for name, time in (("began", job.start_time), ("ended", job.end_time)) if time]
    if not job.state.over and job.progress.stage:
        facts.append(["now", f"{job.progress.stage} {job.progress.done:,} of {job.progress.total:,}"])
    if job.progress.message:
        facts.append(["", job.progress.message])
    parts = [table(facts)]
    if job.training:
        parts = [table(facts + _settings(job.training)), _epochs(job.training.epochs)]
    if job.state.over:
        parts.append(_ended(session, job))
    return "\n\n".join(part for part in parts if part)


def _settings(training: TrainingJob) -> list[list[str]]:
    """The settings that were asked for and those in use, a line for each of the two that says something."""
    lines = []
    for name, settings in (("settings", training.requested_settings), ("settings used", training.settings)):
        given = {} if settings is None else vars(settings)
        if said := ", ".join(f"{setting}: {value}" for setting, value in given.items() if value is not None):
            lines.append([name, said])
    return lines


def _ended(session: Session, job: Job) -> str:
    return trained(session, job) if job.training else measured(job)


def _epochs(epochs: Sequence[EpochMetrics]) -> str:
    rows = [
        [
            str(epoch.epoch),
            f"{epoch.train_loss:.4f}",
            percent(epoch.train_accuracy),
            f"{epoch.validation_loss:.4f}",
            percent(epoch.validation_accuracy),
            f"{epoch.learning_rate:.3g}",
            duration(epoch.duration_seconds),
        ]
        for epoch in epochs
    ]
    header = ["epoch", "loss", "right", "validation loss", "right", "rate", "time"]
    return table(rows, header, right=range(7)) if rows else ""
