"""The jobs of a server: checked and queued, carried out one after another, watched, cancelled, and gone on with after
a restart.

One at a time, because two trainings on one machine take longer than one after the other. A job is on disk before
anybody is told of it; what its process has done is on disk in checkpoints of its own.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, InvalidInput, Precondition, Unavailable
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import EVALUATED_MODELS, MAX_LABEL_LENGTH
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.presets import preset_facts

from .board import JobBoard, Watch
from .job import Job, JobKind, JobState, Progress
from .run import JobDependencies, JobRun
from .settings import require_measurable, require_trainable, validate_settings

MAX_QUEUED = 100
_STOP_S = 5.0


class Jobs:
    """All jobs. Safe from any thread. start() it once, then stop() and close() it once."""

    def __init__(self, tools: JobDependencies) -> None:
        """Jobs that ran when the server ended will run again."""
        self._tools = tools
        found = tools.store.load()
        for job in found:
            if job.state.is_over:  # the server may have ended between a job's end and this
                tools.store.tidy(job.job_id)
        self._board = JobBoard(map(_resumed, found))
        self._writing = threading.Lock()
        self._run: JobRun | None = None
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)

    def start(self) -> None:
        """Carry out jobs from now on."""
        self._thread.start()

    # Asking for work

    def start_training(
        self, preset: str, dataset_id: str, name: str = "", settings: Mapping[str, Any] | None = None
    ) -> Job:
        """Train a preset on a data set; the job, which is on disk. name: of the model, "" = the preset's and the data
        set's. settings: those that were given. Raises InvalidInput, NotFound, Precondition, Exhausted.
        """
        preset_facts(preset)
        dataset = self._tools.datasets.get(dataset_id)
        require_trainable(dataset)
        request: dict[str, Any] = {
            "preset": preset,
            "dataset_id": dataset.dataset_id,
            "dataset_name": dataset.name,
            "name": normalize_label(name or f"{preset} {dataset.name}"[:MAX_LABEL_LENGTH], "name"),
            "settings": validate_settings(settings or {}),
        }
        self._tools.runner.require(JobKind.TRAINING, tensorboard=bool(request["settings"].get("tensorboard")))
        return self._enqueue(JobKind.TRAINING, request)

    def start_evaluation(self, models: Sequence[str], dataset_id: str, quick: bool = False) -> Job:
        """Measure models, each and together; the job, which is on disk. Raises NotFound, InvalidInput, Precondition,
        Exhausted.
        """
        if not EVALUATED_MODELS.includes(len(models)):
            raise InvalidInput("models", f"has {len(models)} items; name {EVALUATED_MODELS}")
        found = [self._tools.models.find(reference, "models") for reference in models]
        ids = [FEW_SHOT if model is None else model.model_id for model in found]
        if len(set(ids)) < len(ids):
            raise InvalidInput("models", "names a model twice; name each once")
        dataset = self._tools.datasets.get(dataset_id)
        require_measurable(dataset)
        request = {
            "models": ids,
            "model_names": [FEW_SHOT if model is None else model.card.name for model in found],
            "dataset_id": dataset.dataset_id,
            "dataset_name": dataset.name,
            "quick": quick,
        }
        self._tools.runner.require(JobKind.EVALUATION)
        return self._enqueue(JobKind.EVALUATION, request)

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end; the job, as it was if it had ended. A training keeps the best so far. Raises NotFound."""
        with suppress(Exhausted):  # a disk that is full must not keep a job from ending
            self._change(job_id, _cancelled, True)
        job = self._change(job_id, _cancelled, False)
        run = self._run
        if job.cancelling and not job.state.is_over and run is not None and run.job_id == job_id:
            run.cancel()
        return job

    def delete(self, job_id: str) -> None:
        """Remove a job that is over, with all that it has written; its model stays. Raises NotFound, Precondition."""
        with self._writing:
            if not self._board.get(job_id).state.is_over:
                raise Precondition(f"job {job_id} is not over; cancel it, or wait until it is", Reason.JOB_NOT_OVER)
            self._tools.store.delete(job_id)
            self._board.remove(job_id)

    # Looking

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        return self._board.get(job_id)

    def page(self, after: str = "", limit: int = 50) -> list[Job]:
        """At most `limit` jobs, the newest first, from the first one behind the job `after`. Raises NotFound for one
        that does not exist.
        """
        before_us = self._board.get(after).created_us if after else None
        return [job for job in self._board.all() if before_us is None or job.created_us < before_us][:limit]

    def watch(self, job_id: str) -> Watch:
        """The job now and after each change, until it is over. Raises NotFound."""
        return self._board.watch(job_id)

    def file(self, job_id: str, name: str) -> Path:
        """The path of one of Job.files. Raises NotFound."""
        return self._tools.store.file(self.get(job_id).job_id, name)

    def uses_dataset(self, dataset_id: str) -> bool:
        """True while a job that is not over needs this data set."""
        return any(job.request.get("dataset_id") == dataset_id for job in self._board.all() if not job.state.is_over)

    # The end

    def stop(self) -> None:
        """Begin no more jobs, let the present one end where it is, send watchers away. Returns at once."""
        self._board.close()
        if (run := self._run) is not None:
            run.leave()

    def close(self) -> None:
        """After stop(): returns when the process of the present job is gone."""
        if not self._thread.is_alive():
            return
        self._thread.join(_STOP_S)
        if (run := self._run) is not None:
            run.kill()
        self._thread.join(_STOP_S)

    # The queue

    def _enqueue(self, kind: JobKind, request: dict[str, Any]) -> Job:
        with self._writing:
            if self._board.closed:
                raise Unavailable("the server is stopping; repeat the call when it is back")
            jobs = self._board.all()
            if sum(job.state is JobState.QUEUED for job in jobs) >= MAX_QUEUED:
                raise Exhausted(
                    f"{MAX_QUEUED} jobs wait already; repeat the call when some are done", Reason.JOBS_FULL, 60.0
                )
            newest_us = jobs[0].created_us if jobs else 0
            job = Job(secrets.token_hex(6), kind, JobState.QUEUED, max(now_us(), newest_us + 1), request)
            self._tools.store.save(job)
            self._board.publish(job)
            return job

    def _change(self, job_id: str, how: Callable[[Job], Job], durable: bool) -> Job:
        """See job_run.Change."""
        with self._writing:
            before = self._board.get(job_id)
            job = how(before)
            if durable and job is not before:
                self._tools.store.save(job)
            if job is not before:
                self._board.publish(job)
            return job

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._run = run = JobRun(job.job_id, self._tools, self._change)
            if self._board.closed:  # stop() came too early to see the run
                run.leave()
            run.run()
            self._run = None

    def _next(self) -> Job | None:
        """The oldest job that waits, once there is one; None when the server stops."""
        with self._board.changed:
            self._board.changed.wait_for(lambda: self._board.closed or self._oldest() is not None)
            return None if self._board.closed else self._oldest()

    def _oldest(self) -> Job | None:
        waiting = [job for job in self._board.all() if job.state is JobState.QUEUED]
        return waiting[-1] if waiting else None


def _resumed(job: Job) -> Job:
    """A job from disk, as it is after the start of a server."""
    if job.state is not JobState.RUNNING:
        return job
    message = "the server was started anew; this job goes on from its last checkpoint, if it has one"
    return replace(job, state=JobState.QUEUED, progress=Progress(stage="waiting", message=message))


def _cancelled(job: Job) -> Job:
    if job.state.is_over or job.cancelling:
        return job
    if job.state is JobState.QUEUED and not job.started_us:
        return replace(job, state=JobState.CANCELLED, ended_us=now_us(), cancelling=True)
    return replace(job, cancelling=True)
