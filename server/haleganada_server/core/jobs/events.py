"""What a job's process reports, applied to the job; and how a job ends that ended in this or that way.

The process is another program, which may be killed in the middle of a word: what makes no sense is passed over.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput

from .job import Epoch, Job, JobKind, JobState, Progress
from .settings import validate_settings

_LONGEST_TEXT = 500  # characters of a message
_KILLED = -getattr(signal, "SIGKILL", 9)
_KILLED_MESSAGES = {
    JobKind.TRAINING: "the job's process was killed, and again when it was started anew, most often because the "
    "machine had no memory left; choose a smaller batch or a smaller model, then start it again",
    JobKind.EVALUATION: "the job's process was killed, most often because the machine had no memory left; stop other "
    "programs, then start it again",
}

Fields = TypeVar("Fields", Progress, Epoch)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job's process ended. model: it left a finished model folder."""

    state: JobState
    reason: str = ""
    message: str = ""
    model: bool = False
    result: dict[str, Any] = field(default_factory=dict)


def with_progress(job: Job, entry: Any) -> Job:
    """The job with new progress; unchanged if the entry makes no sense."""
    found = _made(Progress, entry)
    if found is None:
        return job
    return replace(
        job, progress=replace(found, stage=found.stage[:_LONGEST_TEXT], message=found.message[:_LONGEST_TEXT])
    )


def with_epoch(job: Job, entry: Any) -> Job:
    """The job with one more epoch, which replaces those from its number on: a training that goes on from a checkpoint
    repeats some. Unchanged if the entry makes no sense.
    """
    found = _made(Epoch, entry)
    if found is None:
        return job
    before = tuple(epoch for epoch in job.epochs if epoch.epoch < found.epoch)
    return replace(job, epochs=(*before, found))


def with_settings(job: Job, entry: Any) -> Job:
    """The job with the settings that its training uses; unchanged if the entry makes no sense."""
    try:
        return replace(job, settings=validate_settings(dict(entry)))
    except (InvalidInput, TypeError, ValueError):
        return job


def ending(job: Job, last: Mapping[str, Any], status: int, last_words: str) -> Ending:
    """How a job ends. last: the process's "done" or "failed" report, if it made one. status: of the process, -N after
    signal N. last_words: the last line of its log.
    """
    if isinstance(done := last.get("done"), dict):
        return _done(job, done)
    if isinstance(failed := last.get("failed"), dict):
        message = str(failed.get("message") or "it failed")[:_LONGEST_TEXT]
        return Ending(JobState.FAILED, Reason.of(failed.get("reason")), message, model=failed.get("model") is True)
    if job.cancelling:
        return Ending(JobState.CANCELLED)
    if killed(job, last, status):
        return Ending(
            JobState.FAILED,
            Reason.PROCESS_KILLED,
            _KILLED_MESSAGES[job.kind],
        )
    return Ending(JobState.FAILED, Reason.PROCESS_ENDED, _unexpected(status, last_words))


def killed(job: Job, last: Mapping[str, Any], status: int) -> bool:
    """Whether somebody else ended the process of a job, which nobody had asked to end. Arguments: as of ending."""
    return status == _KILLED and not last and not job.cancelling


def _done(job: Job, done: Mapping[str, Any]) -> Ending:
    cancelled = bool(done.get("cancelled")) and job.cancelling
    result = done.get("result")
    return Ending(
        JobState.CANCELLED if cancelled else JobState.SUCCEEDED,
        model=done.get("model") is True,
        result=result if isinstance(result, dict) else {},
    )


def _unexpected(status: int, last_words: str) -> str:
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    said = f": {last_words[:_LONGEST_TEXT]}" if last_words else ""
    return f"the job's process ended unexpectedly ({how}){said}"


def _made(kind: type[Fields], entry: Any) -> Fields | None:
    """A Progress or an Epoch from its fields; None unless they are there, or have defaults, and have the right
    types.
    """
    if not isinstance(entry, dict):
        return None
    kinds: dict[str, Callable[[Any], Any]] = {"str": str, "int": _whole, "float": _finite}
    try:
        return kind(**{f.name: kinds[str(f.type)](entry[f.name]) for f in fields(kind) if f.name in entry})
    except (TypeError, ValueError, OverflowError):
        return None


def _whole(value: Any) -> int:
    """Raises OverflowError for what no counter of the contract holds."""
    number = int(value)
    if not 0 <= number < 2**31:
        raise OverflowError
    return number


def _finite(value: Any) -> float:
    """Raises OverflowError for what JSON has no number for."""
    number = float(value)
    if not math.isfinite(number):
        raise OverflowError
    return number
