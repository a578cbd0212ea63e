"""jobs: training and evaluation on the server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.job_files import download_job_files
from haleganada_client.cli.files.overwriting import overwrite_option
from haleganada_client.cli.formatting import format_duration, format_percent, format_size, format_table, format_time
from haleganada_client.cli.one_by_one import do_each, end_with
from haleganada_client.cli.output.evaluation_report import format_evaluation
from haleganada_client.cli.output.job_progress import watch_until_over
from haleganada_client.cli.output.training_report import format_training
from haleganada_client.cli.session import Session, with_session

if TYPE_CHECKING:
    from haleganada_client.training.jobs import EpochMetrics, Job, TrainingJob


@click.group("jobs", cls=DefaultGroup)
def jobs_command() -> None:
    """List jobs (ls, the default); show, watch, cancel or delete one; download its files."""


@jobs_command.command("ls")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="List at most this many.")
@with_session
def list_jobs(session: Session, limit: int) -> None:
    """List jobs, newest first."""
    with session.client() as client:
        jobs = client.jobs.list(limit)
    header = ["job", "task", "state", "created", "model", ""]
    session.show(jobs, format_table([_row(job) for job in jobs], header) if jobs else "no jobs")


@jobs_command.command("show")
@click.argument("job_id")
@with_session
def show_job(session: Session, job_id: str) -> None:
    """Show the job JOB_ID: its settings, progress and result."""
    with session.client() as client:
        job = client.jobs.get(job_id)
    session.show(job, _format_job(session, job))


@jobs_command.command("watch")
@click.argument("job_id")
@with_session
def watch_job(session: Session, job_id: str) -> None:
    """Watch the job JOB_ID until it ends. The exit code is 1 if it failed or was cancelled."""
    with session.client() as client:
        job = watch_until_over(session, client, client.jobs.get(job_id))
    session.show(job, _format_result(session, job))
    if job.state.value != "succeeded":
        sys.exit(ExitCode.FAILURE)


@jobs_command.command("cancel")
@click.argument("job_id")
@with_session
def cancel_job(session: Session, job_id: str) -> None:
    """Cancel the job JOB_ID. A training job keeps the best model so far."""
    with session.client() as client:
        job = client.jobs.cancel(job_id)
    if job.state.is_over:
        text = f"job {job.job_id}: {job.state.value}"
    else:
        watch = session.command_line("jobs", "watch", job.job_id)
        text = f"job {job.job_id} is finishing up; `{watch}` waits until it is over"
    session.show(job, text)


@jobs_command.command("delete")
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB_ID...")
@with_session
def delete_jobs(session: Session, job_ids: tuple[str, ...]) -> None:
    """Delete finished jobs with their reports, curves and logs. The models that they trained stay."""
    with session.client() as client:
        outcomes = do_each(job_ids, client.jobs.delete)
    deleted = list(outcomes.done)
    end_with(session, outcomes, {"deleted": deleted}, "\n".join(f"deleted job {job_id}" for job_id in deleted))


@jobs_command.command("files")
@click.argument("job_id")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Download the files to here."
)
@overwrite_option
@with_session
def job_files(session: Session, job_id: str, names: tuple[str, ...], to: Path | None, overwrite: bool) -> None:
    """List or download the files of the job JOB_ID. With NAMEs, download only those."""
    if names and to is None:
        raise click.UsageError("name a folder for the files with --to FOLDER")
    with session.client() as client:
        job = client.jobs.get(job_id)
        paths = download_job_files(client, job, to, names, overwrite=overwrite) if to is not None else []
    if to is not None:
        session.show([str(path) for path in paths], "\n".join(f"wrote {path}" for path in paths) or "no files")
    else:
        rows = [[file.name, format_size(file.size_bytes)] for file in job.files]
        session.show(job.files, format_table(rows, ["file", "size"], right={1}) if rows else "no files")


def _row(job: Job) -> list[str]:
    status = job.error_reason
    if job.queue_position:
        status = _describe_place(job)
    if job.state.value == "running":
        progress = job.progress
        share = f"{format_percent(progress.done / progress.total)} of " if progress.total else ""
        status = f"{share}{progress.stage}"
    model_id = job.training.model_id if job.training else ""
    return [job.job_id, _describe_task(job), _state(job), format_time(job.create_time), model_id or "-", status]


def _describe_place(job: Job) -> str:
    return "next" if job.queue_position == 1 else f"number {job.queue_position} in the queue"


def _state(job: Job) -> str:
    return "ending" if job.cancelling else job.state.value


def _describe_task(job: Job) -> str:
    if job.training:
        return f"{job.training.preset} on {job.training.dataset_name}: {job.training.model_name}"
    assert job.evaluation is not None, "a job is either a training or an evaluation"
    names = ", ".join(model.name for model in job.evaluation.models)
    return f"evaluation of {names} on {job.evaluation.dataset_name}"


def _format_job(session: Session, job: Job) -> str:
    facts = [
        ["job", job.job_id],
        ["task", _describe_task(job)],
        ["state", _state(job)],
        ["created", format_time(job.create_time)],
    ]
    if job.author:
        facts.append(["by", job.author])
    if job.queue_position:
        facts.append(["place", _describe_place(job)])
    facts += [
        [name, format_time(time)] for name, time in (("started", job.start_time), ("ended", job.end_time)) if time
    ]
    if not job.state.is_over and job.progress.stage:
        facts.append(["now", f"{job.progress.stage} {job.progress.done:,} of {job.progress.total:,}"])
    if job.progress.message:
        facts.append(["", job.progress.message])
    sections = [format_table(facts)]
    if job.training:
        sections = [format_table(facts + _settings_rows(job.training)), _epoch_table(job.training.epochs)]
    if job.state.is_over:
        sections.append(_format_result(session, job))
    return "\n\n".join(section for section in sections if section)


def _settings_rows(training: TrainingJob) -> list[list[str]]:
    """Return a row for the settings that were requested, and one for those in use, unless there are none."""
    rows = []
    for name, settings in (("settings", training.requested_settings), ("settings used", training.settings)):
        values = {} if settings is None else vars(settings)
        if text := ", ".join(f"{setting}: {value}" for setting, value in values.items() if value is not None):
            rows.append([name, text])
    return rows


def _format_result(session: Session, job: Job) -> str:
    return format_training(session, job) if job.training else format_evaluation(job)


def _epoch_table(epochs: Sequence[EpochMetrics]) -> str:
    rows = [
        [
            str(epoch.epoch),
            f"{epoch.train_loss:.4f}",
            format_percent(epoch.train_accuracy),
            f"{epoch.validation_loss:.4f}",
            format_percent(epoch.validation_accuracy),
            f"{epoch.learning_rate:.3g}",
            format_duration(epoch.duration_seconds),
        ]
        for epoch in epochs
    ]
    header = ["epoch", "loss", "accuracy", "validation loss", "accuracy", "learning rate", "time"]
    return format_table(rows, header, right=range(7)) if rows else ""
