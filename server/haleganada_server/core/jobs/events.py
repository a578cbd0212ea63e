"""Reports of a job's process, applied to the job, and the outcome of a job whose process has ended.

The process is another program, which may be killed in the middle of a line, so invalid reports are ignored.
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

_MAX_TEXT = 500  # characters of a message
_KILLED = -getattr(signal, "SIGKILL", 9)
_KILLED_MESSAGES = {
    JobKind.TRAINING: "the job's process was killed, and killed again after a restart, probably because the machine "
    "ran out of memory; choose a smaller batch or a smaller model, then start the job again",
    JobKind.EVALUATION: "the job's process was killed, probably because the machine ran out of memory; stop other "
    "programs, then start the job again",
}

Report = TypeVar("Report", Progress, Epoch)


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a job ended. has_model: its process left a finished model folder."""

    state: JobState
    reason: str = ""
    message: str = ""
    has_model: bool = False
    result: dict[str, Any] = field(default_factory=dict)


def apply_progress(job: Job, entry: Any) -> Job:
    """Return the job with new progress; unchanged if the entry is invalid."""
    progress = _parse_report(Progress, entry)
    if progress is None:
        return job
    return replace(
        job, progress=replace(progress, stage=progress.stage[:_MAX_TEXT], message=progress.message[:_MAX_TEXT])
    )


def apply_epoch(job: Job, entry: Any) -> Job:
    """Return the job with one more epoch; unchanged if the entry is invalid. The epoch replaces all from its number on,
    because a training that resumes from a checkpoint repeats some.
    """
    epoch = _parse_report(Epoch, entry)
    if epoch is None:
        return job
    earlier = tuple(other for other in job.epochs if other.epoch < epoch.epoch)
    return replace(job, epochs=(*earlier, epoch))


def apply_settings(job: Job, entry: Any) -> Job:
    """Return the job with the settings that its training uses; unchanged if the entry is invalid."""
    try:
        return replace(job, settings=validate_settings(dict(entry)))
    except (InvalidInput, TypeError, ValueError):
        return job


def determine_outcome(job: Job, last: Mapping[str, Any], status: int, last_log_line: str) -> JobOutcome:
    """Return how a job ended.

    last: the process's "done" or "failed" report, or {}. status: exit status of the process, -N after signal N.
    """
    if isinstance(done := last.get("done"), dict):
        return _outcome_when_done(job, done)
    if isinstance(failed := last.get("failed"), dict):
        reason, message = Reason.of(failed.get("reason")), str(failed.get("message") or "the job failed")
        return JobOutcome(JobState.FAILED, reason, message[:_MAX_TEXT], has_model=failed.get("model") is True)
    if job.cancelling:
        return JobOutcome(JobState.CANCELLED)
    if was_killed(job, last, status):
        return JobOutcome(JobState.FAILED, Reason.PROCESS_KILLED, _KILLED_MESSAGES[job.kind])
    return JobOutcome(JobState.FAILED, Reason.PROCESS_ENDED, _describe_unexpected_end(status, last_log_line))


def was_killed(job: Job, last: Mapping[str, Any], status: int) -> bool:
    """Return whether something else killed the process of a job that nobody had cancelled. Arguments: see
    determine_outcome.
    """
    return status == _KILLED and not last and not job.cancelling


def _outcome_when_done(job: Job, done: Mapping[str, Any]) -> JobOutcome:
    cancelled = bool(done.get("cancelled")) and job.cancelling
    result = done.get("result")
    return JobOutcome(
        JobState.CANCELLED if cancelled else JobState.SUCCEEDED,
        has_model=done.get("model") is True,
        result=result if isinstance(result, dict) else {},
    )


def _describe_unexpected_end(status: int, last_log_line: str) -> str:
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    details = f": {last_log_line[:_MAX_TEXT]}" if last_log_line else ""
    return f"the job's process ended unexpectedly ({how}){details}"


def _parse_report(report: type[Report], entry: Any) -> Report | None:
    """Parse a Progress or an Epoch; None if a field without a default is missing, or one has the wrong type."""
    if not isinstance(entry, dict):
        return None
    parsers: dict[str, Callable[[Any], Any]] = {"str": str, "int": _parse_count, "float": _parse_finite}
    try:
        return report(**{f.name: parsers[str(f.type)](entry[f.name]) for f in fields(report) if f.name in entry})
    except (TypeError, ValueError, OverflowError):
        return None


def _parse_count(value: Any) -> int:
    """Parse a counter. Raises OverflowError for a number outside the contract's range."""
    number = int(value)
    if not 0 <= number < 2**31:
        raise OverflowError
    return number


def _parse_finite(value: Any) -> float:
    """Parse a number. Raises OverflowError for infinity and NaN, which JSON does not have."""
    number = float(value)
    if not math.isfinite(number):
        raise OverflowError
    return number
