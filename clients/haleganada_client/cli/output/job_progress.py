"""The progress of a job: one bar per stage on a terminal, lines elsewhere; and what Ctrl+C does meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.formatting import format_duration, format_percent, printable
from haleganada_client.cli.session import Session

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.training.jobs import EpochMetrics, Job

_UNKNOWN_LENGTH = 1


class JobView(Protocol):
    """Shows the progress of a job on stderr."""

    def show(self, job: Job) -> None:
        """Show the job's current state."""

    def close(self) -> None:
        """End what is shown."""


class JobLines:
    """Lines for a log: one for each stage, message and epoch."""

    def __init__(self) -> None:
        self._stage = self._message = ""
        self._epoch = 0

    def show(self, job: Job) -> None:
        """Print what is new."""
        progress = job.progress
        if (stage := _describe_stage(job)) != self._stage:
            self._stage = stage
            self._print(stage)
        if progress.message and progress.message != self._message:
            self._message = progress.message
            self._print(progress.message)
        if job.training is None:
            return
        for epoch in job.training.epochs:
            if epoch.epoch > self._epoch:
                self._epoch = epoch.epoch
                described = describe_epoch(epoch, job.training.reads_lines)
                self._print(f"{described} · {format_duration(epoch.duration_seconds)}")

    def close(self) -> None:
        """Nothing is left open."""

    @staticmethod
    def _print(text: str) -> None:
        click.echo(printable(text), err=True)
        sys.stderr.flush()


class JobBar:
    """Progress bars for a terminal, a new one for each stage."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._message = ""
        self._bar: Any = None

    def show(self, job: Job) -> None:
        """Draw the job's current state."""
        progress = job.progress
        if progress.message and progress.message != self._message:
            self.close()
            self._message = progress.message
            click.echo(printable(progress.message), err=True)
        stage = _describe_stage(job)
        if self._bar is None or stage != self._stage:
            self.close()
            self._stage = stage
            self._bar = click.progressbar(
                length=progress.total or _UNKNOWN_LENGTH,
                label=printable(stage),
                item_show_func=lambda shown: shown,
                show_eta=False,
                show_pos=bool(progress.total),
                file=sys.stderr,
            )
            self._bar.__enter__()
        self._bar.length = progress.total or _UNKNOWN_LENGTH
        self._bar.update(progress.done - self._bar.pos, describe_progress(job))

    def close(self) -> None:
        """End the line of the present bar."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def _describe_stage(job: Job) -> str:
    stage = job.progress.stage or job.state.value
    return f"{stage}, {job.queue_position - 1} before it" if job.queue_position > 1 else stage


def describe_progress(job: Job) -> str:
    """Describe the latest epoch and the time left, for example “epoch 3 · loss 0.21 · 97.3 % right · rate 0.001”."""
    parts = []
    if job.training and job.training.epochs:
        parts.append(describe_epoch(job.training.epochs[-1], job.training.reads_lines))
    if job.progress.eta_seconds:
        parts.append(f"{format_duration(job.progress.eta_seconds)} left")
    return " · ".join(parts)


def describe_epoch(epoch: EpochMetrics, reads_lines: bool = False) -> str:
    """Describe one epoch, by the training part if there is no validation part."""
    is_validated = epoch.validation_loss or epoch.validation_accuracy
    loss, accuracy = (
        (epoch.validation_loss, epoch.validation_accuracy) if is_validated else (epoch.train_loss, epoch.train_accuracy)
    )
    right = f"CER {format_percent(1 - accuracy)}" if reads_lines else f"{format_percent(accuracy)} right"
    return f"epoch {epoch.epoch} · loss {loss:.3f} · {right} · rate {epoch.learning_rate:.2g}"


def watch_until_over(session: Session, client: HaleganadaClient, job: Job) -> Job:
    """Show a job's progress until it is over, and return it.

    On Ctrl+C people choose: the job is cancelled, or it continues and the command exits.
    """
    while True:
        try:
            with _open_view() as view:
                for update in client.jobs.watch(job.job_id):
                    job = update
                    view.show(update)
            return job
        except KeyboardInterrupt:
            if not _confirm_cancel():
                click.echo(describe_detached(session, job), err=True)
                sys.exit(ExitCode.INTERRUPTED)
            client.jobs.cancel(job.job_id)
            click.echo("cancelled; it is finishing up (Ctrl+C again to stop waiting)", err=True)


def describe_detached(session: Session, job: Job) -> str:
    """Say how to watch or cancel a job that the command does not wait for."""
    watch, cancel = (session.command_line("jobs", word, job.job_id) for word in ("watch", "cancel"))
    state = "is queued and will start by itself" if job.state.value == "queued" else "continues on the server"
    keep = " and keeps the best model so far" if job.kind == "training" else ""
    return f"job {job.job_id} {state}; `{watch}` shows its progress, `{cancel}` ends it{keep}"


@contextmanager
def _open_view() -> Iterator[JobView]:
    view: JobView = JobBar() if sys.stderr.isatty() else JobLines()
    try:
        yield view
    finally:
        view.close()


def _confirm_cancel() -> bool:
    """Ask whether to cancel the job; without a terminal, it is not cancelled."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    try:
        return click.confirm("\nCancel the job? Otherwise it continues on the server", default=False, err=True)
    except click.Abort:
        return False
