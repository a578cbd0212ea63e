"""Training and evaluating models: `client.jobs`.

job = client.jobs.start_training("cnn36", "digits", settings=TrainingSettings(epochs=5))
for now in client.jobs.watch(job.job_id):
    print(now.progress.done, now.training.epochs[-1:])
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

from haleganada.v1 import job_service_pb2 as pb
from haleganada.v1 import job_service_pb2_grpc

from . import convert, transfers
from .connection import Connection
from .errors import NO_SERVER, DeadlineExceeded, Exhausted, InvalidInput, Unavailable
from .evaluation import EvaluationResult, evaluation_result

_WATCH_TIMEOUT_S = 3600.0
_TRANSFER_TIMEOUT_S = 3600.0
_START_TIMEOUT_S = 60.0
_PAUSE_S = 1.0
_CHOICES: dict[str, dict[str, Any]] = {
    "optimizer": {"adamw": pb.OPTIMIZER_ADAMW, "adam": pb.OPTIMIZER_ADAM},
    "schedule": {"cosine": pb.LEARNING_RATE_SCHEDULE_COSINE, "plateau": pb.LEARNING_RATE_SCHEDULE_PLATEAU},
}


class JobState(Enum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How to train; None = the preset's default, which `client.models.presets()` tells.

    epochs: 1 to 10,000. batch_size: 1 to 4,096. optimizer: adamw or adam. schedule: cosine or plateau. patience:
    epochs without a better validation accuracy after which it stops, 0 = never. accumulation: steps whose gradients
    are added up, 1 to 256. frozen_epochs: in which only the last layers of a pretrained network are trained.
    checkpoint_every: epochs between two checkpoints, 1 to 1,000.
    """

    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    optimizer: str | None = None
    schedule: str | None = None
    patience: int | None = None
    accumulation: int | None = None
    mixed_precision: bool | None = None
    frozen_epochs: int | None = None
    augment: bool | None = None
    seed: int | None = None
    checkpoint_every: int | None = None
    tensorboard: bool | None = None


@dataclass(frozen=True)
class JobProgress:
    """How far a job is in its present stage. total: 0 = not known. eta_seconds: 0 = not known."""

    stage: str
    done: int
    total: int
    eta_seconds: float
    message: str


@dataclass(frozen=True, kw_only=True)
class EpochMetrics:
    """One epoch of a training. Losses: mean cross-entropy. Accuracies: 0..1."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    duration_seconds: float


@dataclass(frozen=True)
class JobFile:
    """A file that a job has written."""

    name: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """A training. requested_settings: those that were asked for, None = left to the preset. settings: those in use,
    None before it has begun. epochs: the epochs so far, () in lists. model_id: the new model, "" = none (yet).
    """

    preset: str
    dataset_id: str
    dataset_name: str
    model_name: str
    requested_settings: TrainingSettings
    settings: TrainingSettings | None
    epochs: tuple[EpochMetrics, ...]
    model_id: str


@dataclass(frozen=True)
class EvaluationModel:
    """A model that is evaluated. model_id: "few-shot" for the embedder and head."""

    model_id: str
    name: str


@dataclass(frozen=True)
class EvaluationJob:
    """An evaluation. quick: only the accuracy was asked for. result: None until it has succeeded, and in lists."""

    models: tuple[EvaluationModel, ...]
    dataset_id: str
    dataset_name: str
    quick: bool
    result: EvaluationResult | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job. cancelling: it was asked to end, and finishes up. error, error_reason: "" unless it failed. files: () in
    lists. Either training or evaluation is set.
    """

    job_id: str
    state: JobState
    cancelling: bool
    create_time: datetime
    start_time: datetime | None
    end_time: datetime | None
    progress: JobProgress
    error: str
    error_reason: str
    files: tuple[JobFile, ...]
    training: TrainingJob | None
    evaluation: EvaluationJob | None

    @property
    def kind(self) -> Literal["training", "evaluation"]:
        """What kind of work it is."""
        return "evaluation" if self.training is None else "training"


class _Reconnection:
    """Decides how long to try to reach a server again."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._last_answer = time.monotonic()
        self._has_answered = False

    def note_answer(self) -> None:
        """Start to wait anew, because the server has just answered."""
        self._last_answer, self._has_answered = time.monotonic(), True

    def raise_if_hopeless(self, error: Unavailable | DeadlineExceeded) -> None:
        """Raise the error if the server was never there, or has not answered for too long."""
        never_there = error.reason == NO_SERVER and not self._has_answered
        if never_there or time.monotonic() - self._last_answer >= self._patience_s:
            raise error


class JobsClient:
    """The jobs of a server. Every method raises HaleganadaError. Jobs continue when the client is gone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = job_service_pb2_grpc.JobServiceStub(connection.channel)

    def start_training(
        self, preset: str, dataset: str, *, name: str = "", settings: TrainingSettings | None = None
    ) -> Job:
        """Start to train a model. dataset: its id, or its name if that is unique. name: of the model, "" = the names of
        preset and data set.
        """
        request = pb.StartTrainingRequest(
            preset=preset, dataset_id=dataset, model_name=name, settings=_settings_message(settings)
        )
        return _convert_job(self._connection.call_once(self._stub.StartTraining, request, _START_TIMEOUT_S).job)

    def start_evaluation(self, models: Sequence[str], dataset: str, *, quick: bool = False) -> Job:
        """Start to evaluate 1 to 8 models, each alone and together. "few-shot" is the embedder and head, taught with
        the training part. quick: find the accuracy only, on at most 1,000 drawings.
        """
        request = pb.StartEvaluationRequest(models=models, dataset_id=dataset, quick=quick)
        return _convert_job(self._connection.call_once(self._stub.StartEvaluation, request, _START_TIMEOUT_S).job)

    def get(self, job_id: str) -> Job:
        """Return one job as it is now."""
        return _convert_job(self._connection.call(self._stub.GetJob, pb.GetJobRequest(job_id=job_id)).job)

    def list(self, limit: int | None = None) -> list[Job]:
        """Return all jobs or at most `limit`, newest first."""
        return list(islice(self._iter_jobs(), limit))

    def cancel(self, job_id: str) -> Job:
        """End a job. A training keeps its best epoch so far as a model."""
        return _convert_job(self._connection.call(self._stub.CancelJob, pb.CancelJobRequest(job_id=job_id)).job)

    def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its reports, curves and log. The model that it made stays."""
        self._connection.call(self._stub.DeleteJob, pb.DeleteJobRequest(job_id=job_id))

    def watch(self, job_id: str, *, patience_s: float = 120.0) -> Iterator[Job]:
        """Yield the job now and after each change, until it has ended.

        If the connection breaks or the server restarts, it resumes by itself. Raise the error if that takes longer than
        patience_s seconds, and at once if there is no server at the beginning.
        """
        reconnection = _Reconnection(patience_s if self._connection.config.retry else 0.0)
        while True:
            for job in self._watch_once(job_id, reconnection):
                yield job
                if job.state.is_over:
                    return
            time.sleep(_PAUSE_S)

    def file(self, job_id: str, name: str, target: str | os.PathLike[str] | BinaryIO) -> int:
        """Write one of a job's files to a path, which appears only when it is complete, or to an open binary file.
        Return its size in bytes. Raises OSError where it cannot be written.
        """
        request = pb.GetJobFileRequest(job_id=job_id, name=name)
        parts = self._connection.stream(self._stub.GetJobFile, request, _TRANSFER_TIMEOUT_S)
        chunks = (part.chunk for part in parts)
        return transfers.write_chunks(chunks, Path(target) if isinstance(target, (str, os.PathLike)) else target)

    def _iter_jobs(self) -> Iterator[Job]:
        token = ""
        while True:
            request = pb.ListJobsRequest(page_size=200, page_token=token)
            answer = self._connection.call(self._stub.ListJobs, request)
            yield from map(_convert_job, answer.jobs)
            token = answer.next_page_token
            if not token:
                return

    def _watch_once(self, job_id: str, reconnection: _Reconnection) -> Iterator[Job]:
        """Yield jobs until the stream ends or breaks. If the server has too many watchers, poll once instead."""
        streamed = False
        try:
            for answer in self._connection.stream(
                self._stub.WatchJob, pb.WatchJobRequest(job_id=job_id), _WATCH_TIMEOUT_S
            ):
                streamed = True
                yield _convert_job(answer.job)
        except (Unavailable, DeadlineExceeded) as error:
            if streamed:  # the server was there until now
                reconnection.note_answer()
            reconnection.raise_if_hopeless(error)
        except Exhausted as error:
            if error.reason != "TOO_MANY_WATCHERS":
                raise
            yield from self._poll(job_id, reconnection)

    def _poll(self, job_id: str, reconnection: _Reconnection) -> Iterator[Job]:
        """Yield the job as it is now, if the server answers."""
        try:
            job = self.get(job_id)
        except (Unavailable, DeadlineExceeded) as error:
            reconnection.raise_if_hopeless(error)
        else:
            reconnection.note_answer()
            yield job


def _settings_message(settings: TrainingSettings | None) -> pb.TrainingSettings:
    """Raise InvalidInput for an unknown optimizer or schedule."""
    settings = settings or TrainingSettings()
    given = {f.name: value for f in fields(settings) if (value := getattr(settings, f.name)) is not None}
    for name, choices in _CHOICES.items():
        if name in given:
            if given[name] not in choices:
                raise InvalidInput(f"{name} must be {' or '.join(choices)}", "INVALID_INPUT", f"settings.{name}")
            given[name] = choices[given[name]]
    return pb.TrainingSettings(**given)


def _convert_job(message: pb.Job) -> Job:
    return convert.from_message(
        Job,
        message,
        state=JobState(pb.JobState.Name(message.state).removeprefix("JOB_STATE_").lower()),
        progress=convert.from_message(JobProgress, message.progress),
        files=convert.to_tuple(lambda file: convert.from_message(JobFile, file), message.files),
        training=_convert_training(message.training) if message.HasField("training") else None,
        evaluation=_convert_evaluation(message.evaluation) if message.HasField("evaluation") else None,
    )


def _convert_training(message: pb.TrainingJob) -> TrainingJob:
    return convert.from_message(
        TrainingJob,
        message,
        requested_settings=_convert_settings(message.requested_settings),
        settings=_convert_settings(message.settings) if message.HasField("settings") else None,
        epochs=convert.to_tuple(lambda epoch: convert.from_message(EpochMetrics, epoch), message.epochs),
    )


def _convert_settings(message: pb.TrainingSettings) -> TrainingSettings:
    given = {field.name: value for field, value in message.ListFields()}
    for name, choices in _CHOICES.items():
        if name in given:
            given[name] = next(word for word, number in choices.items() if number == given[name])
    return TrainingSettings(**given)


def _convert_evaluation(message: pb.EvaluationJob) -> EvaluationJob:
    return convert.from_message(
        EvaluationJob,
        message,
        models=convert.to_tuple(lambda model: convert.from_message(EvaluationModel, model), message.models),
        result=evaluation_result(message.result) if message.HasField("result") else None,
    )
