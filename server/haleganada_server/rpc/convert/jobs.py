"""Messages of JobService <-> the domain's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from haleganada.v1 import job_service_pb2 as pb

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.jobs.job import Epoch, Job, JobKind, JobState
from haleganada_server.core.models.presets import PRESET_FACTS

from . import evaluation
from .common import timestamp

_STATES = {
    JobState.QUEUED: pb.JOB_STATE_QUEUED,
    JobState.RUNNING: pb.JOB_STATE_RUNNING,
    JobState.SUCCEEDED: pb.JOB_STATE_SUCCEEDED,
    JobState.FAILED: pb.JOB_STATE_FAILED,
    JobState.CANCELLED: pb.JOB_STATE_CANCELLED,
}
_CHOICES: dict[str, dict[Any, str]] = {
    "optimizer": {pb.OPTIMIZER_ADAMW: "adamw", pb.OPTIMIZER_ADAM: "adam"},
    "schedule": {pb.LEARNING_RATE_SCHEDULE_COSINE: "cosine", pb.LEARNING_RATE_SCHEDULE_PLATEAU: "plateau"},
    "class_weights": {pb.CLASS_WEIGHTS_NONE: "none", pb.CLASS_WEIGHTS_BALANCED: "balanced"},
}
_NUMBERS = {name: {word: number for number, word in choices.items()} for name, choices in _CHOICES.items()}


def settings(message: pb.TrainingSettings) -> dict[str, Any]:
    """Return the settings that were given. Raises InvalidInput for a number of an enum that is not known."""
    given = {field.name: value for field, value in message.ListFields()}
    return {name: _require_known(f"settings.{name}", given[name], _CHOICES.get(name)) for name in given}


def _require_known(field: str, value: Any, choices: dict[Any, str] | None) -> Any:
    if choices is None:
        return value
    if value not in choices:
        raise InvalidInput(field, f"has the number {value}, which this server does not know")
    return choices[value]


def job(value: Job, positions: Mapping[str, int]) -> pb.Job:
    """Return a job in full. positions: see Jobs.queue_positions."""
    message = job_summary(value, positions)
    message.files.extend(pb.JobFile(name=name, size_bytes=size) for name, size in value.files.items())
    if value.kind is JobKind.TRAINING:
        message.training.epochs.extend(map(_epoch, value.epochs))
    elif value.result:
        message.evaluation.result.CopyFrom(evaluation.result(value.result))
    return message


def job_summary(value: Job, positions: Mapping[str, int]) -> pb.Job:
    """Return a job as lists show it: without epochs, files and results. positions: see Jobs.queue_positions."""
    return pb.Job(
        job_id=value.job_id,
        state=_STATES[value.state],
        cancelling=value.cancelling and not value.state.is_over,
        create_time=_time(value.created_us),
        start_time=_time(value.started_us),
        end_time=_time(value.ended_us),
        progress=pb.JobProgress(**asdict(value.progress)),
        error=value.error,
        error_reason=value.error_reason,
        call_id=value.call_id,
        author=value.author,
        queue_position=positions.get(value.job_id, 0) if value.state is JobState.QUEUED else 0,
        training=_training(value) if value.kind is JobKind.TRAINING else None,
        evaluation=_evaluation(value) if value.kind is JobKind.EVALUATION else None,
    )


def _training(value: Job) -> pb.TrainingJob:
    asked = value.request
    return pb.TrainingJob(
        preset=asked.get("preset", ""),
        dataset_id=asked.get("dataset_id", ""),
        dataset_name=asked.get("dataset_name", ""),
        model_name=asked.get("name", ""),
        requested_settings=_settings(asked.get("settings", {})),
        settings=_settings(value.settings) if value.settings else None,
        model_id=value.model_id,
        reads_lines=_reads_lines(asked.get("preset", "")),
    )


def _reads_lines(preset: str) -> bool:
    """Return whether a preset, perhaps of another version of the server, reads lines."""
    return preset in PRESET_FACTS and PRESET_FACTS[preset].reads_lines


def _evaluation(value: Job) -> pb.EvaluationJob:
    asked = value.request
    names = zip(asked.get("models", ()), asked.get("model_names", ()), strict=True)
    return pb.EvaluationJob(
        models=[pb.EvaluationModel(model_id=model_id, name=name) for model_id, name in names],
        dataset_id=asked.get("dataset_id", ""),
        dataset_name=asked.get("dataset_name", ""),
        quick=asked.get("quick", False),
    )


def _settings(values: Mapping[str, Any]) -> pb.TrainingSettings:
    """values: by their names in the contract; those that this version does not know are left out."""
    known = {name: value for name, value in values.items() if name in pb.TrainingSettings.DESCRIPTOR.fields_by_name}
    return pb.TrainingSettings(**{name: _NUMBERS.get(name, {}).get(value, value) for name, value in known.items()})


def _epoch(value: Epoch) -> pb.EpochMetrics:
    return pb.EpochMetrics(
        epoch=value.epoch,
        train_loss=value.train_loss,
        train_accuracy=value.train_accuracy,
        validation_loss=value.validation_loss,
        validation_accuracy=value.validation_accuracy,
        learning_rate=value.learning_rate,
        duration_seconds=value.seconds,
    )


def _time(time_us: int) -> Timestamp | None:
    return timestamp(time_us) if time_us else None
