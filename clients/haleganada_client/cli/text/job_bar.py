"""A job as it goes on: one bar for each stage, where a person watches; and what Ctrl+C means then."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from haleganada_client.cli.exit_codes import STOPPED
from haleganada_client.cli.layout import percent, printable
from haleganada_client.cli.session import Session

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.jobs import Job

_NO_LENGTH = 1


class JobBar:
    """Bars on stderr, a new one for each stage; nothing where nobody watches."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._message = ""
        self._bar: Any = None

    def show(self, job: Job) -> None:
        """Draw the job as it is now."""
        if not sys.stderr.isatty():
            return
        progress = job.progress
        if progress.message and progress.message != self._message:
            self.close()
            self._message = progress.message
            click.echo(printable(progress.message), err=True)
        stage = progress.stage or job.state.value
        if self._bar is None or stage != self._stage:
            self.close()
            self._stage = stage
            self._bar = click.progressbar(
                length=progress.total or _NO_LENGTH,
                label=printable(stage),
                item_show_func=lambda shown: shown,
                show_eta=False,
                show_pos=bool(progress.total),
                file=sys.stderr,
            )
            self._bar.__enter__()
        self._bar.length = progress.total or _NO_LENGTH
        self._bar.update(progress.done - self._bar.pos, figures(job))

    def close(self) -> None:
        """End the present bar's line."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def figures(job: Job) -> str:
    """The newest epoch and the time that is left, for example “epoch 3 · loss 0.21 · 97.3 % right · rate 0.001”."""
    parts = []
    if job.training and job.training.epochs:
        epoch = job.training.epochs[-1]
        parts += [
            f"epoch {epoch.epoch}",
            f"loss {epoch.validation_loss:.3f}",
            f"{percent(epoch.validation_accuracy)} right",
            f"rate {epoch.learning_rate:.2g}",
        ]
    if job.progress.eta_seconds:
        parts.append(f"{duration(job.progress.eta_seconds)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """For example "8 s", "3 min 20 s", "2 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def followed(session: Session, client: HaleganadaClient, job: Job) -> Job:
    """Show a job until it is over; the job then. Ctrl+C leaves it running, or cancels it, as people choose; the
    command ends in the first case.
    """
    while True:
        try:
            with _bar() as bar:
                for now in client.jobs.watch(job.job_id):
                    job = now
                    bar.show(now)
            return job
        except KeyboardInterrupt:
            if not _wants_cancelled():
                click.echo(goes_on(session, job), err=True)
                sys.exit(STOPPED)
            client.jobs.cancel(job.job_id)
            click.echo("cancelled; it finishes up (Ctrl+C again leaves it alone)", err=True)


def goes_on(session: Session, job: Job) -> str:
    """How to get back to a job that one stops looking at."""
    watch, cancel = (session.command_line("jobs", word, job.job_id) for word in ("watch", "cancel"))
    does = "is queued, and begins by itself" if job.state.value == "queued" else "goes on"
    kept = " and keeps the best so far" if job.kind == "training" else ""
    return f"job {job.job_id} {does}; `{watch}` shows it, `{cancel}` ends it{kept}"


@contextmanager
def _bar() -> Iterator[JobBar]:
    bar = JobBar()
    try:
        yield bar
    finally:
        bar.close()


def _wants_cancelled() -> bool:
    """Asks, where somebody is there to answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    try:
        return click.confirm("\nCancel the job too? Otherwise it goes on", default=False, err=True)
    except click.Abort:
        return False
