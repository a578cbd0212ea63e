"""Training and evaluating models: `client.jobs`.

job = client.jobs.start_training("cnn36", "digits", settings=TrainingSettings(epochs=5))
for now in client.jobs.watch(job.job_id):
    print(now.progress.done, now.training.epochs[-1:])
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any, Literal

from haleganada.v1 import job_service_pb2 as pb
from haleganada.v1 import job_service_pb2_grpc

from ..calls.dual import Asynchronous, Blocking, dual_iterator, dual_method
from ..errors import NO_SERVER, DeadlineExceeded, Exhausted, Unavailable
from ..operations.base import Operations
from ..wire import convert, transfers
from ..wire.arguments import parse_choice, refuse, refuse_type, to_list
from ..wire.build import build
from .evaluation import EvaluationResult, evaluation_result

_WATCH_TIMEOUT_S = 3600.0
_TRANSFER_TIMEOUT_S = 3600.0
_START_TIMEOUT_S = 60.0
_LONGEST_PAGE = 200
_PAUSE_S = 1.0
_CHOICES: dict[str, dict[str, Any]] = {
    "optimizer": {"adamw": pb.OPTIMIZER_ADAMW, "adam": pb.OPTIMIZER_ADAM},
    "schedule": {"cosine": pb.LEARNING_RATE_SCHEDULE_COSINE, "plateau": pb.LEARNING_RATE_SCHEDULE_PLATEAU},
    "class_weights": {"none": pb.CLASS_WEIGHTS_NONE, "balanced": pb.CLASS_WEIGHTS_BALANCED},
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
    checkpoint_every: epochs between two checkpoints, 1 to 1,000. image_size_px: height and width of the network's
    input, 16 to 256. workers: threads that compute, 1 to 256. Augmentation, each at most: rotation_degrees, 0 to 180;
    shift, a share of the side, and scale, 0 to 0.5; tilt and bend, 0 to 0.3; ink, fainter or bolder, 0 to 0.9.
    class_weights: none, or balanced: all labels count the same, however many drawings they have.
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
    image_size_px: int | None = None
    workers: int | None = None
    rotation_degrees: float | None = None
    shift: float | None = None
    scale: float | None = None
    tilt: float | None = None
    bend: float | None = None
    ink: float | None = None
    class_weights: str | None = None


@dataclass(frozen=True)
class JobProgress:
    """How far a job is in its current stage. total: 0 = not known. eta_seconds: 0 = not known."""

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
    reads_lines: the model reads lines, and accuracies are one minus the character error rate, 0 at least.
    """

    preset: str
    dataset_id: str
    dataset_name: str
    model_name: str
    requested_settings: TrainingSettings
    settings: TrainingSettings | None
    epochs: tuple[EpochMetrics, ...]
    model_id: str
    reads_lines: bool = False


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
    lists. Either training or evaluation is set. call_id: names the call that asked for it in the server's log. author:
    name of the token that asked for it. queue_position: where it stands among those that wait, 1 = next; 0 unless it
    waits.
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
    call_id: str = ""
    author: str = ""
    queue_position: int = 0

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


class JobOperations(Operations):
    """What JobsClient and AsyncJobsClient do."""

    @cached_property
    def _stub(self) -> job_service_pb2_grpc.JobServiceStub:
        return self._connection.make_stub(job_service_pb2_grpc.JobServiceStub)

    @dual_method
    async def start_training(
        self,
        preset: str,
        dataset: str,
        *,
        name: str = "",
        settings: TrainingSettings | None = None,
        from_model: str = "",
    ) -> Job:
        """Start to train a model. dataset: its id, or its name if that is unique. name: of the model, "" = the names of
        preset and data set. from_model: the id or unique name of a model to start from; preset may be "" then.
        """
        return await self._start_training(preset, dataset, name, settings, from_model)

    async def _start_training(
        self, preset: str, dataset: str, name: str, settings: TrainingSettings | None, from_model: str
    ) -> Job:
        request = build(
            pb.StartTrainingRequest,
            preset=preset,
            dataset_id=dataset,
            model_name=name,
            settings=_settings_message(settings),
            from_model_id=from_model,
        )
        answer = await self._connection.call_once(self._stub.StartTraining, request, _START_TIMEOUT_S)
        return _convert_job(answer.job)

    @dual_method
    async def train_more(self, job_id: str, epochs: int, *, name: str = "") -> Job:
        """Train the model of a training that has ended for more epochs, on the same data set with the same settings,
        and return the new job. It makes a new model; the earlier one stays. name: "" = the earlier one's.
        """
        answer = await self._connection.call(self._stub.GetJob, build(pb.GetJobRequest, job_id=job_id))
        earlier = _convert_job(answer.job).training
        if earlier is None or not earlier.model_id:
            raise refuse("job_id", f"job {job_id} has made no model that can be trained further")
        return await self._start_training(
            earlier.preset,
            earlier.dataset_id,
            name or earlier.model_name,
            replace(earlier.requested_settings, epochs=epochs, frozen_epochs=0),
            earlier.model_id,
        )

    @dual_method
    async def start_evaluation(self, models: Sequence[str], dataset: str, *, quick: bool = False) -> Job:
        """Start to evaluate 1 to 8 models, each alone and together. "few-shot" is the embedder and head, taught with
        the training part. quick: find the accuracy only, on at most 1,000 drawings.
        """
        request = build(pb.StartEvaluationRequest, models=to_list(models, "models"), dataset_id=dataset, quick=quick)
        answer = await self._connection.call_once(self._stub.StartEvaluation, request, _START_TIMEOUT_S)
        return _convert_job(answer.job)

    @dual_method
    async def get(self, job_id: str) -> Job:
        """Return one job as it is now."""
        answer = await self._connection.call(self._stub.GetJob, build(pb.GetJobRequest, job_id=job_id))
        return _convert_job(answer.job)

    @dual_method
    async def list(self, limit: int | None = None) -> list[Job]:
        """Return all jobs or at most `limit`, newest first."""
        found: list[Job] = []
        async for page in self._connection.pages(self._stub.ListJobs, pb.ListJobsRequest(page_size=_LONGEST_PAGE)):
            found += map(_convert_job, page.jobs)
            if limit is not None and len(found) >= limit:
                break
        return found[:limit]

    @dual_method
    async def cancel(self, job_id: str) -> Job:
        """End a job. A training keeps its best epoch so far as a model."""
        answer = await self._connection.call(self._stub.CancelJob, build(pb.CancelJobRequest, job_id=job_id))
        return _convert_job(answer.job)

    @dual_method
    async def delete(self, job_id: str) -> None:
        """Delete a job that has ended, with its reports, curves and log. The model that it made stays."""
        await self._connection.call(self._stub.DeleteJob, build(pb.DeleteJobRequest, job_id=job_id))

    @dual_iterator
    async def watch(self, job_id: str, *, patience_s: float = 120.0) -> AsyncGenerator[Job, None]:
        """Yield the job now and after each change, until it has ended.

        If the connection breaks or the server restarts, it resumes by itself. Raise the error if that takes longer than
        patience_s seconds, and at once if there is no server at the beginning.
        """
        reconnection = _Reconnection(patience_s if self._connection.config.retry else 0.0)
        while True:
            async with aclosing(self._watch_once(job_id, reconnection)) as jobs:
                async for job in jobs:
                    yield job
                    if job.state.is_over:
                        return
            await self._connection.pause(_PAUSE_S)

    @dual_method
    async def file(self, job_id: str, name: str, target: transfers.Target) -> int:
        """Write one of a job's files to a path, which appears only when it is complete, or to an open binary file.
        Return its size in bytes. Raises OSError where it cannot be written.
        """
        request = build(pb.GetJobFileRequest, job_id=job_id, name=name)
        parts = self._connection.stream(self._stub.GetJobFile, request, _TRANSFER_TIMEOUT_S)
        return await transfers.write_chunks(parts, target, self._connection.offload)

    async def _watch_once(self, job_id: str, reconnection: _Reconnection) -> AsyncGenerator[Job, None]:
        """Yield jobs until the stream ends or breaks. If the server has too many watchers, poll once instead."""
        streamed, request = False, build(pb.WatchJobRequest, job_id=job_id)
        try:
            async with aclosing(self._connection.stream(self._stub.WatchJob, request, _WATCH_TIMEOUT_S)) as answers:
                async for answer in answers:
                    streamed = True
                    yield _convert_job(answer.job)
        except (Unavailable, DeadlineExceeded) as error:
            if streamed:  # the server was there until now
                reconnection.note_answer()
            reconnection.raise_if_hopeless(error)
        except Exhausted as error:
            if error.reason != "TOO_MANY_WATCHERS":
                raise
            if (job := await self._poll(job_id, reconnection)) is not None:
                yield job

    async def _poll(self, job_id: str, reconnection: _Reconnection) -> Job | None:
        """Return the job as it is now, None if the server does not answer."""
        try:
            answer = await self._connection.call(self._stub.GetJob, build(pb.GetJobRequest, job_id=job_id))
        except (Unavailable, DeadlineExceeded) as error:
            reconnection.raise_if_hopeless(error)
            return None
        reconnection.note_answer()
        return _convert_job(answer.job)


class JobsClient(JobOperations, Blocking):
    """The jobs of a server. Every method raises HaleganadaError. Jobs continue when the client is gone."""


class AsyncJobsClient(JobOperations, Asynchronous):
    """What JobsClient does, as coroutines."""


def _settings_message(settings: TrainingSettings | None) -> pb.TrainingSettings:
    """Raise InvalidInput for an unknown optimizer, schedule or kind of class weights."""
    settings = TrainingSettings() if settings is None else settings
    if not isinstance(settings, TrainingSettings):
        raise refuse_type("settings", "TrainingSettings", settings)
    given = {f.name: value for f in fields(settings) if (value := getattr(settings, f.name)) is not None}
    for name, choices in _CHOICES.items():
        if name in given:
            given[name] = parse_choice(given[name], choices, f"settings.{name}")
    return build(pb.TrainingSettings, **given)


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
