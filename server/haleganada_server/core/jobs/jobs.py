"""The jobs of a server: validated and queued, run in turn, watched, cancelled, and resumed after a restart.

A long job runs alone, because two trainings at once take longer than one after the other. Two short ones may run beside
each other, so that who tries something out does not wait. Callers take turns (turns.py). A job is saved before anyone
sees it; its process saves checkpoints of its own.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from haleganada_server.core.access.identity import LOCAL_CALLER, Caller
from haleganada_server.core.clock import now_us
from haleganada_server.core.datasets.dataset import DatasetInfo, DatasetKind
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import (
    DataLoss,
    Exhausted,
    HaleganadaError,
    InvalidInput,
    NotFound,
    Precondition,
    Unavailable,
)
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import EVALUATED_MODELS, MAX_LABEL_LENGTH
from haleganada_server.core.model_names import FEW_SHOT
from haleganada_server.core.models.files import WEIGHTS
from haleganada_server.core.models.models import StoredModel
from haleganada_server.core.models.presets import preset_facts
from haleganada_server.core.shares.limits import MAX_QUEUED_JOBS

from .board import JobBoard, Watch
from .job import Job, JobKind, JobState, Progress
from .ports import LeaseLost
from .run import JobDependencies, JobRun
from .settings import (
    estimate_evaluation_s,
    estimate_training_s,
    require_image_size,
    require_testable,
    require_trainable,
    validate_settings,
)
from .turns import order_queue

SHORT_S = 120.0
"""Seconds of one core that a short job takes at most, as estimated when it is asked for."""
_AT_ONCE = 2
_STOP_S = 5.0
_UNFIT_S = 5.0  # until a job is looked at again that another server has begun, or only another one can
_log = logging.getLogger(__name__)


class Jobs:
    """All jobs. Safe from any thread. start() it once, then stop() and close() it once."""

    def __init__(self, dependencies: JobDependencies) -> None:
        """Load all jobs; those that ran when the server ended will be resumed."""
        self._dependencies = dependencies
        found = dependencies.store.load()
        for job in found:
            if job.state.is_over and not job.is_damaged:  # the server may have ended before it could delete them
                dependencies.store.delete_checkpoints(job.job_id)
        self._board = JobBoard(found if dependencies.store.is_shared else map(_requeue_if_running, found))
        self._updating = threading.Lock()
        self._runs: dict[str, JobRun] = {}  # by job id; changed under board.changed
        self._unfit: dict[str, float] = {}  # jobs that another server has to carry out, and until when that is known
        self._threads = [threading.Thread(target=self._run_jobs, name="jobs", daemon=True) for _ in range(_AT_ONCE)]

    def start(self) -> None:
        """Start running jobs."""
        for thread in self._threads:
            thread.start()

    # Requests

    def start_training(
        self,
        preset: str,
        dataset_id: str,
        name: str = "",
        settings: Mapping[str, Any] | None = None,
        from_model: str = "",
        call_id: str = "",
        caller: Caller = LOCAL_CALLER,
    ) -> Job:
        """Queue the training of a preset on a data set, and return the saved job.

        name: of the model, "" = made from the names of preset and data set. settings: those that differ from the
        preset's. from_model: the model to start from, "" = none; it says the preset, too. call_id: see Job. caller: who
        asks. Raises InvalidInput, NotFound, Precondition, DataLoss for a damaged data set or model, Exhausted.
        """
        chosen = validate_settings(settings or {})
        start = self._find_start(from_model, preset, chosen) if from_model else None
        preset = preset_facts(start.card.preset if start else preset).name
        require_image_size(preset, chosen.get("image_size_px", preset_facts(preset).preprocessing.side))
        dataset = self._dependencies.datasets.get(dataset_id)
        dataset.require_sound()
        require_trainable(preset, dataset)
        request: dict[str, Any] = {
            "preset": preset,
            "dataset_id": dataset.dataset_id,
            "dataset_name": dataset.name,
            "name": normalize_label(name or f"{preset} {dataset.name}"[:MAX_LABEL_LENGTH], "name"),
            "settings": chosen,
            "from_model": start.model_id if start else "",
            "estimate_s": estimate_training_s(preset, dataset, chosen),
        }
        needed = "" if start else preset  # a model brings its backbone along
        self._dependencies.runner.require(JobKind.TRAINING, needed, bool(chosen.get("tensorboard")))
        return self._enqueue(JobKind.TRAINING, request, call_id, caller)

    def _find_start(self, reference: str, preset: str, settings: dict[str, Any]) -> StoredModel:
        """Return the model that a training starts from, and give the settings its image size."""
        model = self._dependencies.models.get(reference, "from_model_id")
        model.require_card()
        if preset not in ("", model.card.preset) or WEIGHTS not in model.card.sha256:
            why = f"is a {model.card.preset}" if preset not in ("", model.card.preset) else "has no weights for torch"
            raise Precondition(
                f"the training cannot start from the model “{model.card.name}”, which {why}; leave out the preset, or "
                "start from another model",
                Reason.MODEL_DOES_NOT_FIT,
            )
        side = model.card.preprocessing.side
        if settings.setdefault("image_size_px", side) != side:
            raise InvalidInput("settings.image_size_px", f"differs from the {side} px of the model to start from")
        return model

    def explain_missing(self) -> str:
        """Return why nothing can be trained on this server, and what to install; "" if something can."""
        try:
            self._dependencies.runner.require(JobKind.TRAINING)
        except Precondition as error:
            return error.message
        return ""

    def must_fetch_weights(self, preset: str) -> bool:
        """Return whether a training of a preset would fetch weights when it starts. Does not try the network."""
        return self._dependencies.runner.must_fetch_weights(preset)

    def start_evaluation(
        self,
        models: Sequence[str],
        dataset_id: str,
        quick: bool = False,
        call_id: str = "",
        caller: Caller = LOCAL_CALLER,
    ) -> Job:
        """Queue the evaluation of models, one by one and together, and return the saved job. Raises NotFound,
        InvalidInput, Precondition, DataLoss for a damaged data set or a model with a damaged card, Exhausted.
        """
        if not EVALUATED_MODELS.includes(len(models)):
            raise InvalidInput("models", f"has {len(models)} items; name {EVALUATED_MODELS}")
        found = [self._dependencies.models.find(reference, "models") for reference in models]
        for model in found:
            if model is not None:
                model.require_card()
        ids = [FEW_SHOT if model is None else model.model_id for model in found]
        if len(set(ids)) < len(ids):
            raise InvalidInput("models", "names a model twice; name each once")
        dataset = self._dependencies.datasets.get(dataset_id)
        dataset.require_sound()
        require_testable(dataset)
        _require_same_kind(found, dataset)
        request = {
            "models": ids,
            "model_names": [FEW_SHOT if model is None else model.card.name for model in found],
            "dataset_id": dataset.dataset_id,
            "dataset_name": dataset.name,
            "quick": quick,
            "estimate_s": estimate_evaluation_s(len(ids), dataset, quick),
        }
        self._dependencies.runner.require(JobKind.EVALUATION)
        return self._enqueue(JobKind.EVALUATION, request, call_id, caller)

    def cancel(self, job_id: str) -> Job:
        """Ask a job to end and return it, unchanged if it is over. A training keeps its best result. Raises NotFound,
        DataLoss if its record is damaged, Unavailable.
        """
        if (job := self.get(job_id)).is_damaged:
            raise DataLoss(job.error, Reason.JOB_DAMAGED)
        with suppress(Exhausted):  # a full disk must not keep a job from ending
            self._update(job_id, _mark_cancelled, True)
        job = self._update(job_id, _mark_cancelled, False)
        run = self._runs.get(job_id)
        if job.cancelling and not job.state.is_over and run is not None:
            run.cancel()
        return job

    def delete(self, job_id: str) -> None:
        """Remove a job that is over, with all its files; its model stays. Raises NotFound, Precondition."""
        self.get(job_id)
        with self._updating:
            if not self._board.get(job_id).state.is_over:
                raise Precondition(
                    f"job {job_id} is not finished; cancel it, or wait until it ends", Reason.JOB_NOT_OVER
                )
            self._dependencies.store.delete(job_id)
            self._board.remove(job_id)

    # Lookup

    def get(self, job_id: str) -> Job:
        """Return a job. Raises NotFound."""
        with suppress(NotFound):
            return self._board.get(job_id)
        self._take_news()
        return self._board.get(job_id)

    def count_by_state(self) -> Counter[JobState]:
        """Return how many jobs there are in each state."""
        return Counter(job.state for job in self._board.all())

    def queue_positions(self) -> dict[str, int]:
        """Return where each job that waits stands, 1 = it runs next, by its id."""
        return self._board.queue_positions()

    def page(self, after: str = "", limit: int = 50) -> list[Job]:
        """Return at most `limit` jobs, the newest first, starting after the job `after`. Raises NotFound if that job
        does not exist.
        """
        self._take_news()
        place = self._board.get(after).place if after else None
        return [job for job in self._board.all() if place is None or job.place < place][:limit]

    def watch(self, job_id: str) -> Watch:
        """Return an iterator over the job now and after each change, until it is over. Raises NotFound."""
        return self._board.watch(self.get(job_id).job_id)

    def find_file(self, job_id: str, name: str) -> Path:
        """Return the path of one of Job.files. Raises NotFound."""
        return self._dependencies.store.find_file(self.get(job_id).job_id, name)

    def uses_dataset(self, dataset_id: str) -> bool:
        """Return whether a job that is not over needs this data set."""
        self._take_news()
        return any(job.request.get("dataset_id") == dataset_id for job in self._board.all() if not job.state.is_over)

    # Other servers

    def follow(self) -> None:
        """Learn what other servers have changed, tell them what this one does, and let any server begin the jobs of
        those that are gone. To be called about every second where jobs are shared. Raises Unavailable.
        """
        for run in self._list_runs():
            if run.is_claimed:
                self._renew(run)
        self._dependencies.store.rescue(_requeue_rescued)
        self._take_news()
        with self._board.changed:
            self._board.changed.notify_all()  # what could not be begun here may be possible now

    def _take_news(self) -> None:
        """Show what other servers have changed, if that can be asked now."""
        store = self._dependencies.store
        if not store.is_shared:
            return
        with suppress(Unavailable):
            changed, removed = store.news()  # outside the lock, for it may take time; what is old by now comes again
            for job in changed:
                if job.job_id not in self._runs:  # else this server knows it better
                    self._board.publish(job)
            for job_id in removed:
                self._board.remove(job_id)

    def _renew(self, run: JobRun) -> None:
        """Keep the lease of a job that runs here, save how far it is, and end it if somebody has asked for that."""
        was_cancelling = self._board.get(run.job_id).cancelling
        try:
            job = self._update(run.job_id, lambda job: job, True, as_worker=True)
        except (LeaseLost, NotFound):
            run.abandon()
            return
        if job.cancelling and not was_cancelling:
            run.cancel()

    # Shutdown

    def stop(self) -> None:
        """Start no more jobs, suspend those that run, end all watches. Returns at once."""
        self._board.close()
        for run in self._list_runs():
            run.suspend()

    def close(self) -> None:
        """After stop(): wait until the processes of running jobs have ended."""
        started = [thread for thread in self._threads if thread.is_alive()]
        deadline = time.monotonic() + _STOP_S
        for thread in started:
            thread.join(max(0.0, deadline - time.monotonic()))
        for run in self._list_runs():
            run.kill()
        for thread in started:
            thread.join(_STOP_S)

    def _list_runs(self) -> list[JobRun]:
        with self._board.changed:
            return list(self._runs.values())

    # The queue

    def _enqueue(self, kind: JobKind, request: dict[str, Any], call_id: str, caller: Caller) -> Job:
        with self._updating:
            if self._board.is_closed:
                raise Unavailable("the server is stopping; repeat the call when it is back")
            jobs = self._board.all()
            self._require_place([job for job in jobs if job.state is JobState.QUEUED], caller)
            newest_us = jobs[0].created_us if jobs else 0
            job = Job(
                job_id=secrets.token_hex(6),
                kind=kind,
                state=JobState.QUEUED,
                created_us=max(now_us(), newest_us + 1),
                request=request,
                call_id=call_id,
                client=str(caller),
            )
            self._dependencies.store.save(job)
            self._board.publish(job)
            _log.info("job %s: asked for by the call %s", job.job_id, call_id or "without an id")
            return job

    def _require_place(self, waiting: Sequence[Job], caller: Caller) -> None:
        """Raise Exhausted if no more jobs of a caller may wait."""
        if len(waiting) >= MAX_QUEUED_JOBS:
            raise Exhausted(
                f"{MAX_QUEUED_JOBS} jobs are queued already; repeat the call when some are done", Reason.JOBS_FULL, 60.0
            )
        most = self._dependencies.find_queued_limit(caller.share)
        if most is not None and sum(job.owner == caller.share for job in waiting) >= most:
            raise Exhausted(
                f"you have {most} jobs that wait already; repeat the call when one of them has begun, cancel one, or "
                "ask the server's administrator for more (haleganada limits set --caller NAME queued-jobs=N)",
                Reason.JOBS_FULL,
                60.0,
            )

    def _update(self, job_id: str, change: Callable[[Job], Job], durable: bool, *, as_worker: bool = False) -> Job:
        """See Update in run.py. as_worker: see JobStore.change."""
        with self._updating:
            before = self._board.get(job_id)
            job = self._dependencies.store.change(before, change, as_worker=as_worker) if durable else change(before)
            if job is not before and job != before:
                self._board.publish(job)
            return job

    def _run_jobs(self) -> None:
        while (run := self._claim_next()) is not None:
            if self._board.is_closed:  # stop() came too early to see this run
                run.suspend()
            try:
                run.run()
            except HaleganadaError as error:
                _log.error("job %s: how it ended cannot be saved: %s", run.job_id, error.message)
            finally:
                self._let_go(run)

    def _let_go(self, run: JobRun) -> None:
        """Let other servers have a job that is not over, and show it as it is saved."""
        with suppress(Unavailable, NotFound):
            self._dependencies.store.give_back(run.job_id, _requeue_if_running)
            if self._dependencies.store.is_shared:
                self._update(run.job_id, lambda job: job, True)
        with self._board.changed:
            del self._runs[run.job_id]
            self._board.changed.notify_all()

    def _claim_next(self) -> JobRun | None:
        """Wait for a job that may run now and return its run; None when the server stops."""
        while True:
            with self._board.changed:
                self._board.changed.wait_for(lambda: self._board.is_closed or self._find_startable() is not None)
                job = self._find_startable()
                if self._board.is_closed or job is None:
                    return None
                run = self._runs[job.job_id] = JobRun(
                    job.job_id, self._dependencies, partial(self._update, as_worker=True)
                )
            if self._claim(job):
                run.is_claimed = True
                return run
            with self._board.changed:
                del self._runs[job.job_id]
                self._unfit[job.job_id] = time.monotonic() + _UNFIT_S

    def _claim(self, job: Job) -> bool:
        """Return whether this server carries out a job; among servers that share jobs, another one may do so, or only
        another one can.
        """
        store = self._dependencies.store
        if not store.is_shared:
            return True
        try:
            return self._can_run(job) and store.claim(job.job_id)
        except HaleganadaError as error:
            _log.info("job %s cannot be begun here: %s", job.job_id, error.message)
            return False

    def _can_run(self, job: Job) -> bool:
        """Return whether this server has what a job needs. Raises NotFound, Precondition."""
        request, dependencies = job.request, self._dependencies
        dependencies.datasets.get(request["dataset_id"])
        for model_id in [request.get("from_model") or FEW_SHOT, *request.get("models", ())]:
            dependencies.models.find(model_id)
        preset = "" if request.get("from_model") else request.get("preset", "")
        dependencies.runner.require(job.kind, preset, bool(request.get("settings", {}).get("tensorboard")))
        return True

    def _find_startable(self) -> Job | None:
        """Return the job that is next if it may run beside those that run."""
        jobs = self._board.all()
        beside = [job for job in jobs if job.job_id in self._runs]
        now_s = time.monotonic()
        queued = [job for job in order_queue(jobs, beside) if self._unfit.get(job.job_id, now_s) <= now_s]
        if not queued:
            return None
        return queued[0] if not beside or all(map(_is_short, [queued[0], *beside])) else None


def _require_same_kind(models: Sequence[StoredModel | None], dataset: DatasetInfo) -> None:
    """Raise Precondition unless the models are for what a data set has; None = the few-shot head, for drawings."""
    is_lines = dataset.kind is DatasetKind.LINES
    for model in models:
        if (model is not None and model.card.line is not None) != is_lines:
            name = FEW_SHOT if model is None else model.card.name
            raise Precondition(
                f"the data set “{dataset.name}” has {dataset.kind.value}, which the model “{name}” is not for; name "
                "another model, or another data set",
                Reason.MODEL_DOES_NOT_FIT,
            )


def _is_short(job: Job) -> bool:
    """Return whether a job takes little time; of those that an earlier version stored, nobody knows."""
    return bool(job.request.get("estimate_s", SHORT_S + 1) <= SHORT_S)


def _requeue_if_running(job: Job) -> Job:
    """Return a job from disk as it is after the start of a server."""
    if job.state is not JobState.RUNNING:
        return job
    message = "the server was restarted; this job resumes from its last checkpoint, if it has one"
    return replace(job, state=JobState.QUEUED, progress=Progress(stage="waiting", message=message))


def _requeue_rescued(job: Job) -> Job:
    """Return a job whose server is gone as it is for the others."""
    message = "the server that carried it out is gone; the job goes on at the next one that is free"
    return replace(job, state=JobState.QUEUED, progress=Progress(stage="waiting", message=message))


def _mark_cancelled(job: Job) -> Job:
    if job.state.is_over or job.cancelling:
        return job
    if job.state is JobState.QUEUED and not job.started_us:
        return replace(job, state=JobState.CANCELLED, ended_us=now_us(), cancelling=True)
    return replace(job, cancelling=True)
