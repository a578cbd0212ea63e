"""The jobs of a server: validated and queued, run one after another, watched, cancelled, and resumed after a restart.

They run one at a time, because two trainings at once take longer than one after the other. A job is saved before anyone
sees it; its process saves checkpoints of its own.
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
from .settings import require_testable, require_trainable, validate_settings

MAX_QUEUED = 100
_STOP_S = 5.0


class Jobs:
    """All jobs. Safe from any thread. start() it once, then stop() and close() it once."""

    def __init__(self, dependencies: JobDependencies) -> None:
        """Load all jobs; those that ran when the server ended will be resumed."""
        self._dependencies = dependencies
        found = dependencies.store.load()
        for job in found:
            if job.state.is_over:  # the server may have ended before it could delete them
                dependencies.store.delete_checkpoints(job.job_id)
        self._board = JobBoard(map(_requeue_if_running, found))
        self._updating = threading.Lock()
        self._run: JobRun | None = None
        self._thread = threading.Thread(target=self._run_jobs, name="jobs", daemon=True)

    def start(self) -> None:
        """Start running jobs."""
        self._thread.start()

    # Requests

    def start_training(
        self, preset: str, dataset_id: str, name: str = "", settings: Mapping[str, Any] | None = None
    ) -> Job:
        """Queue the training of a preset on a data set, and return the saved job.

        name: of the model, "" = made from the names of preset and data set. settings: those that differ from the
        preset's. Raises InvalidInput, NotFound, Precondition, Exhausted.
        """
        preset_facts(preset)
        dataset = self._dependencies.datasets.get(dataset_id)
        require_trainable(dataset)
        request: dict[str, Any] = {
            "preset": preset,
            "dataset_id": dataset.dataset_id,
            "dataset_name": dataset.name,
            "name": normalize_label(name or f"{preset} {dataset.name}"[:MAX_LABEL_LENGTH], "name"),
            "settings": validate_settings(settings or {}),
        }
        self._dependencies.runner.require(JobKind.TRAINING, tensorboard=bool(request["settings"].get("tensorboard")))
        return self._enqueue(JobKind.TRAINING, request)

    def start_evaluation(self, models: Sequence[str], dataset_id: str, quick: bool = False) -> Job:
        """Queue the evaluation of models, one by one and together, and return the saved job. Raises NotFound,
        InvalidInput, Precondition, Exhausted.
        """
        if not EVALUATED_MODELS.includes(len(models)):
            raise InvalidInput("models", f"has {len(models)} items; name {EVALUATED_MODELS}")
        found = [self._dependencies.models.find(reference, "models") for reference in models]
        ids = [FEW_SHOT if model is None else model.model_id for model in found]
        if len(set(ids)) < len(ids):
            raise InvalidInput("models", "names a model twice; name each once")
        dataset = self._dependencies.datasets.get(dataset_id)
        require_testable(dataset)
        request = {
            "models": ids,
            "model_names": [FEW_SHOT if model is None else model.card.name for model in found],
            "dataset_id": dataset.dataset_id,
            "dataset_name": dataset.name,
            "quick": quick,
        }
        self._dependencies.runner.require(JobKind.EVALUATION)
        return self._enqueue(JobKind.EVALUATION, request)

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end and return it, unchanged if it is over. A training keeps its best result. Raises
        NotFound.
        """
        with suppress(Exhausted):  # a full disk must not keep a job from ending
            self._update(job_id, _mark_cancelled, True)
        job = self._update(job_id, _mark_cancelled, False)
        run = self._run
        if job.cancelling and not job.state.is_over and run is not None and run.job_id == job_id:
            run.cancel()
        return job

    def delete(self, job_id: str) -> None:
        """Remove a job that is over, with all its files; its model stays. Raises NotFound, Precondition."""
        with self._updating:
            if not self._board.get(job_id).state.is_over:
                raise Precondition(
                    f"job {job_id} is not over; cancel it, or wait until it has ended", Reason.JOB_NOT_OVER
                )
            self._dependencies.store.delete(job_id)
            self._board.remove(job_id)

    # Lookup

    def get(self, job_id: str) -> Job:
        """Return a job. Raises NotFound."""
        return self._board.get(job_id)

    def page(self, after: str = "", limit: int = 50) -> list[Job]:
        """Return at most `limit` jobs, the newest first, starting after the job `after`. Raises NotFound if that job
        does not exist.
        """
        before_us = self._board.get(after).created_us if after else None
        return [job for job in self._board.all() if before_us is None or job.created_us < before_us][:limit]

    def watch(self, job_id: str) -> Watch:
        """Return an iterator over the job now and after each change, until it is over. Raises NotFound."""
        return self._board.watch(job_id)

    def find_file(self, job_id: str, name: str) -> Path:
        """Return the path of one of Job.files. Raises NotFound."""
        return self._dependencies.store.find_file(self.get(job_id).job_id, name)

    def uses_dataset(self, dataset_id: str) -> bool:
        """Return whether a job that is not over needs this data set."""
        return any(job.request.get("dataset_id") == dataset_id for job in self._board.all() if not job.state.is_over)

    # Shutdown

    def stop(self) -> None:
        """Start no more jobs, suspend the running one, end all watches. Returns at once."""
        self._board.close()
        if (run := self._run) is not None:
            run.suspend()

    def close(self) -> None:
        """After stop(): wait until the process of the running job has ended."""
        if not self._thread.is_alive():
            return
        self._thread.join(_STOP_S)
        if (run := self._run) is not None:
            run.kill()
        self._thread.join(_STOP_S)

    # The queue

    def _enqueue(self, kind: JobKind, request: dict[str, Any]) -> Job:
        with self._updating:
            if self._board.is_closed:
                raise Unavailable("the server is stopping; repeat the call when it is back")
            jobs = self._board.all()
            if sum(job.state is JobState.QUEUED for job in jobs) >= MAX_QUEUED:
                raise Exhausted(
                    f"{MAX_QUEUED} jobs are queued already; repeat the call when some are done", Reason.JOBS_FULL, 60.0
                )
            newest_us = jobs[0].created_us if jobs else 0
            job = Job(
                job_id=secrets.token_hex(6),
                kind=kind,
                state=JobState.QUEUED,
                created_us=max(now_us(), newest_us + 1),
                request=request,
            )
            self._dependencies.store.save(job)
            self._board.publish(job)
            return job

    def _update(self, job_id: str, change: Callable[[Job], Job], durable: bool) -> Job:
        """See Update in run.py."""
        with self._updating:
            before = self._board.get(job_id)
            job = change(before)
            if durable and job is not before:
                self._dependencies.store.save(job)
            if job is not before:
                self._board.publish(job)
            return job

    def _run_jobs(self) -> None:
        while (job := self._wait_for_next()) is not None:
            self._run = run = JobRun(job.job_id, self._dependencies, self._update)
            if self._board.is_closed:  # stop() came too early to see this run
                run.suspend()
            run.run()
            self._run = None

    def _wait_for_next(self) -> Job | None:
        """Wait for a queued job and return the oldest; None when the server stops."""
        with self._board.changed:
            self._board.changed.wait_for(lambda: self._board.is_closed or self._oldest_queued() is not None)
            return None if self._board.is_closed else self._oldest_queued()

    def _oldest_queued(self) -> Job | None:
        queued = [job for job in self._board.all() if job.state is JobState.QUEUED]
        return queued[-1] if queued else None


def _requeue_if_running(job: Job) -> Job:
    """Return a job from disk as it is after the start of a server."""
    if job.state is not JobState.RUNNING:
        return job
    message = "the server was restarted; this job resumes from its last checkpoint, if it has one"
    return replace(job, state=JobState.QUEUED, progress=Progress(stage="waiting", message=message))


def _mark_cancelled(job: Job) -> Job:
    if job.state.is_over or job.cancelling:
        return job
    if job.state is JobState.QUEUED and not job.started_us:
        return replace(job, state=JobState.CANCELLED, ended_us=now_us(), cancelling=True)
    return replace(job, cancelling=True)
