"""Messages of JobService <-> the domain's values. No decisions beyond “absent” and “unspecified”."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from haleganada.v1 import job_service_pb2 as pb

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.jobs.job import Job, JobKind, JobState

_KINDS = {
    JobKind.TRAINING: pb.JOB_KIND_TRAINING,
    JobKind.EVALUATION: pb.JOB_KIND_EVALUATION,
}
_STATES = {
    JobState.QUEUED: pb.JOB_STATE_QUEUED,
    JobState.RUNNING: pb.JOB_STATE_RUNNING,
    JobState.SUCCEEDED: pb.JOB_STATE_SUCCEEDED,
    JobState.FAILED: pb.JOB_STATE_FAILED,
    JobState.CANCELLED: pb.JOB_STATE_CANCELLED,
}
_CHOICES: dict[str, dict[Any, str]] = {
    "optimiser": {pb.OPTIMISER_ADAMW: "adamw", pb.OPTIMISER_ADAM: "adam"},
    "schedule": {pb.LEARNING_RATE_SCHEDULE_COSINE: "cosine", pb.LEARNING_RATE_SCHEDULE_PLATEAU: "plateau"},
}


def settings(message: pb.TrainingSettings) -> dict[str, Any]:
    """The settings that were given. Raises InvalidInput for an enumerated value that is not known."""
    given = {field.name: value for field, value in message.ListFields()}
    return {name: _known(f"settings.{name}", given[name], _CHOICES.get(name)) for name in given}


def _known(field: str, value: Any, choices: dict[Any, str] | None) -> Any:
    if choices is None:
        return value
    if value not in choices:
        raise InvalidInput(field, f"has the number {value}, which this server does not know")
    return choices[value]


def job(value: Job) -> pb.Job:
    """A job in full."""
    return pb.Job(
        **_brief(value),
        epochs=[pb.EpochMetrics(**asdict(epoch)) for epoch in value.epochs],
        files=[pb.JobFile(name=name, bytes=size) for name, size in value.files.items()],
        result_json=_line(value.result) if value.result else "",
    )


def listed(value: Job) -> pb.Job:
    """A job as lists show it: without epochs, files and results."""
    return pb.Job(**_brief(value))


def _brief(value: Job) -> dict[str, Any]:
    return {
        "job_id": value.job_id,
        "kind": _KINDS[value.kind],
        "state": _STATES[value.state],
        "created": _time(value.created_us),
        "started": _time(value.started_us),
        "ended": _time(value.ended_us),
        "progress": pb.JobProgress(**asdict(value.progress)),
        "model_id": value.model_id,
        "error": value.error,
        "error_reason": value.error_reason,
        "request_json": _line(value.request),
        "cancelling": value.cancelling and not value.state.over,
        "settings_json": _line(value.settings) if value.settings else "",
    }


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _time(microseconds: int) -> Timestamp | None:
    if not microseconds:
        return None
    seconds, rest = divmod(microseconds, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)
