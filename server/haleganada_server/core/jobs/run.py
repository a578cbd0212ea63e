"""One job from start to end: start its process, record its reports, take over its results.

A training whose process is killed, usually because the machine ran out of memory, is restarted and resumes from its
checkpoint, as after a restart of the server; but only once without finishing a further epoch, or it could go on
forever.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from haleganada_server.core.clock import now_us
from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, HaleganadaError, NotFound, Unavailable
from haleganada_server.core.machine_errors import to_machine_error
from haleganada_server.core.model_names import FEW_SHOT

from .events import JobOutcome, apply_epoch, apply_progress, apply_settings, determine_outcome, was_killed
from .job import Job, JobKind, JobState, Progress
from .ports import DatasetSource, JobProcess, JobRunner, JobStore, LeaseLost, ModelRegistry

_SAVE_INTERVAL_S = 1.0
_RETRY_S, _PATIENCE_S = 1.0, 600.0  # with what servers share, when a job is over
_RESTARTING = Progress(
    stage="waiting",
    message="the job's process was killed, probably because the machine ran out of memory; the job resumes from its "
    "last checkpoint, if it has one",
)
_log = logging.getLogger(__name__)

T = TypeVar("T")
Update = Callable[[str, Callable[[Job], Job], bool], Job]
"""update(job_id, change, durable): apply a change to a job and publish it; if durable, it is on disk afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDependencies:
    """What jobs work with.

    backbone_weights: files of ImageNet weights. weights: folder of the embedder. patience_s: time that a cancelled job
    has to end by itself. find_queued_limit: returns how many jobs of a caller may wait; None = as many as of all.
    """

    store: JobStore
    runner: JobRunner
    datasets: DatasetSource
    models: ModelRegistry
    weights: Path
    backbone_weights: tuple[Path, ...] = ()
    patience_s: float = 120.0
    find_queued_limit: Callable[[str], int | None] = lambda _caller: None


class JobRun:
    """One run of one job. run() is for one thread, the other methods for any."""

    def __init__(self, job_id: str, dependencies: JobDependencies, update: Update) -> None:
        self.job_id = job_id
        self.is_claimed = False
        """Whether it is certain that this server carries the job out."""
        self._dependencies = dependencies
        self._update = update
        self._lock = threading.Lock()
        self._process: JobProcess | None = None
        self._is_suspended = self._is_abandoned = False
        self._kill_timer: threading.Timer | None = None
        self._saved_s = 0.0
        self._last_epoch = 0  # the highest that any of its processes has reported
        self._was_restarted = False
        self._claimed_us = now_us()

    def run(self) -> None:
        """Carry out the job. Returns when it is over, or after suspend() as soon as its process has ended."""
        try:
            self._run()
        except LeaseLost:
            _log.error("job %s: another server may carry it out by now; what was done here is not kept", self.job_id)
            self.abandon()

    def _run(self) -> None:
        try:
            outcome = self._carry_out()
        except HaleganadaError as error:
            if self._is_suspended:
                return
            outcome = JobOutcome(JobState.FAILED, error.reason, error.message)
        except LeaseLost:
            raise
        except Exception as error:
            _log.exception("job %s of the call %s failed", self.job_id, self._current().call_id)
            outcome = _explain_failure(error)
        if outcome is not None:
            self._finish(outcome)

    def cancel(self) -> None:
        """Ask the process to end, and kill it if it does not end in time."""
        with self._lock:
            if self._process is not None and self._kill_timer is None:
                self._process.cancel()
                self._kill_timer = threading.Timer(self._dependencies.patience_s, self._process.kill)
                self._kill_timer.daemon = True
                self._kill_timer.start()

    def suspend(self) -> None:
        """End the process; the job resumes from its checkpoint when it is run again."""
        with self._lock:
            self._is_suspended = True
            if self._process is not None:
                self._process.suspend()

    def abandon(self) -> None:
        """Kill the process, whose result nobody wants."""
        with self._lock:
            self._is_suspended = self._is_abandoned = True
        self.kill()

    def kill(self) -> None:
        """Kill the process."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _carry_out(self) -> JobOutcome | None:
        """Run processes until the job ends, and return how it ended; None if it was suspended."""
        store = self._dependencies.store
        job = self._begin()
        if job is None:
            return None
        self._last_epoch = len(job.epochs)
        path = store.write_request(self.job_id, self._process_request(job))
        while (process := self._start(path)) is not None:
            before = self._last_epoch
            last = self._record_events(process)
            status = process.wait()
            self._stop_kill_timer()
            _log.info("job %s of the call %s: its process ended with status %d", self.job_id, job.call_id, status)
            if self._is_suspended and not last:
                return None
            if not self._should_restart(last, status, has_advanced=self._last_epoch > before):
                return determine_outcome(self._current(), last, status, store.last_log_line(self.job_id))
        return None

    def _begin(self) -> Job | None:
        """Mark the job as running and return it; None if it was cancelled, perhaps also deleted, at the last moment."""
        try:
            job = self._insist(lambda: self._update(self.job_id, self._mark_running, True))
        except NotFound:
            return None
        return None if job.state.is_over else job

    def _mark_running(self, job: Job) -> Job:
        """A job starts when it was claimed: threads of two jobs need not come to this in the order of the queue."""
        if job.state.is_over:
            return job
        return replace(job, state=JobState.RUNNING, started_us=job.started_us or self._claimed_us)

    def _should_restart(self, last: Mapping[str, Any], status: int, has_advanced: bool) -> bool:
        """Return whether to start the process again. has_advanced: it finished an epoch that was never finished
        before.
        """
        job = self._current()
        if job.kind is not JobKind.TRAINING or not was_killed(job, last, status):
            return False
        if self._was_restarted and not has_advanced:
            return False
        self._was_restarted = True
        _log.warning("job %s: its process was killed and is restarted", self.job_id)
        self._record(lambda job: replace(job, progress=_RESTARTING), durable=False)
        return True

    def _start(self, request: Path) -> JobProcess | None:
        """Start the process, which cancel() and suspend() reach from now on; None if the job was already suspended."""
        with self._lock:
            if self._is_suspended:
                return None
            try:
                log = self._dependencies.store.log_path(self.job_id)
                process = self._dependencies.runner.start(request, log)
            except OSError as error:
                message = f"the job's process cannot be started ({error.strerror}); start the job again later"
                raise Exhausted(message, Reason.PROCESS_NOT_STARTED) from error
            self._process, self._kill_timer = process, None  # a restarted process has to be cancelled again
        if self._current().cancelling:
            self.cancel()
        return process

    def _stop_kill_timer(self) -> None:
        with self._lock:
            if self._kill_timer is not None:
                self._kill_timer.cancel()

    def _record_events(self, process: JobProcess) -> Mapping[str, Any]:
        """Record what the process reports, and return its "done" or "failed" report, or {}."""
        last: Mapping[str, Any] = {}
        for event in process.events():
            if "progress" in event:
                self._record(partial(apply_progress, entry=event["progress"]), durable=False)
            elif "settings" in event:
                self._note(partial(apply_settings, entry=event["settings"]))
            elif "epoch" in event:
                self._record_epoch(event["epoch"])
            elif "done" in event or "failed" in event:
                last = event
        return last

    def _record_epoch(self, entry: Any) -> None:
        """Record an epoch, on disk only now and then: a training that resumes reports all epochs of its checkpoint."""
        durable = time.monotonic() - self._saved_s > _SAVE_INTERVAL_S
        if durable:
            self._saved_s = time.monotonic()
            files = self._dependencies.store.list_files(self.job_id)
            self._note(lambda job: replace(apply_epoch(job, entry), files=files))
        else:
            self._record(partial(apply_epoch, entry=entry), durable=False)
        self._last_epoch = max([self._last_epoch, *(epoch.epoch for epoch in self._current().epochs[-1:])])

    def _current(self) -> Job:
        return self._update(self.job_id, lambda job: job, False)

    def _record(self, change: Callable[[Job], Job], durable: bool) -> bool:
        """Change the job; return False if that is not on disk. A full disk does not end the job."""
        try:
            self._update(self.job_id, change, durable)
            return durable
        except (Exhausted, OSError) as error:
            _log.warning("job %s: its state cannot be saved: %s", self.job_id, error)
            self._update(self.job_id, change, False)
            return False

    def _note(self, change: Callable[[Job], Job]) -> None:
        """Change the job, on disk if that is possible now: what the servers share may be away for a while."""
        try:
            self._record(change, durable=True)
        except Unavailable:
            if not self._dependencies.store.is_shared:
                raise
            self._update(self.job_id, change, False)

    def _insist(self, action: Callable[[], T], patience_s: float = math.inf) -> T:
        """Do what needs what the servers share, again and again while that is away: a training of hours is not lost
        for that, and nobody else can take the job over meanwhile.
        """
        end_s = time.monotonic() + patience_s
        while True:
            try:
                return action()
            except Unavailable:
                if not self._dependencies.store.is_shared or self._is_suspended or time.monotonic() > end_s:
                    raise
            time.sleep(_RETRY_S)

    def _finish(self, outcome: JobOutcome) -> None:
        if self._is_abandoned:
            return
        store = self._dependencies.store
        model_id = ""
        if outcome.has_model:
            try:
                # Its id is the job's, so that a job that is finished again after a kill makes no second model.
                folder, models = store.folder(self.job_id) / "model", self._dependencies.models
                model_id = self._insist(lambda: models.register(folder, self.job_id), _PATIENCE_S)
                reach("job.registered")
            except LeaseLost:
                raise
            except HaleganadaError as error:
                outcome = JobOutcome(JobState.FAILED, error.reason, error.message)
            except Exception:
                _log.exception("the model of job %s cannot be registered", self.job_id)
                message = "the model cannot be registered; see the server's log"
                outcome = JobOutcome(JobState.FAILED, Reason.INTERNAL, message)
        store.publish_files(self.job_id)
        files = store.list_files(self.job_id)
        ended = partial(_mark_over, outcome=outcome, model_id=model_id, files=files)
        if self._insist(lambda: self._record(ended, durable=True)):
            reach("job.over")
            store.delete_checkpoints(self.job_id)  # without a saved end, the next server start resumes from them

    def _process_request(self, job: Job) -> dict[str, Any]:
        """Return the request for the process. Raises NotFound if something it needs was deleted in the meantime."""
        request = job.request
        common = {
            "kind": job.kind.value,
            "job_id": job.job_id,
            "folder": str(self._dependencies.store.folder(job.job_id).absolute()),
            "dataset": self._describe_dataset(request["dataset_id"]),
        }
        if job.kind is JobKind.TRAINING:
            given = {name: request[name] for name in ("preset", "name", "settings")}
            backbones = [str(path.absolute()) for path in self._dependencies.backbone_weights]
            start = request.get("from_model", "")
            folder = str(self._dependencies.models.get(start).folder.absolute()) if start else ""
            return {**common, **given, "backbone_weights": backbones, "from_model": folder}
        models = [self._describe_model(model_id) for model_id in request["models"]]
        weights = str(self._dependencies.weights.absolute())
        return {**common, "models": models, "quick": request["quick"], "weights": weights}

    def _describe_dataset(self, dataset_id: str) -> dict[str, Any]:
        datasets = self._dependencies.datasets
        return datasets.get(dataset_id).describe_for_process(datasets.folder(dataset_id))

    def _describe_model(self, model_id: str) -> dict[str, str]:
        model = self._dependencies.models.find(model_id)
        if model is None:
            return {"model_id": FEW_SHOT, "name": FEW_SHOT}
        return {"model_id": model.model_id, "name": model.card.name, "folder": str(model.folder.absolute())}


def _explain_failure(error: Exception) -> JobOutcome:
    """Return the outcome of a job that ended with an error of the server or its machine."""
    if (found := to_machine_error(error)) is not None:
        return JobOutcome(JobState.FAILED, found.reason, found.message)
    return JobOutcome(JobState.FAILED, Reason.INTERNAL, "an error in the server; see the server's log")


def _mark_over(job: Job, outcome: JobOutcome, model_id: str, files: dict[str, int]) -> Job:
    progress = job.progress if outcome.state is JobState.SUCCEEDED else Progress(stage=job.progress.stage)
    return replace(
        job,
        state=outcome.state,
        ended_us=now_us(),
        progress=replace(progress, eta_seconds=0.0, message=""),
        model_id=model_id,
        error=outcome.message,
        error_reason=outcome.reason,
        result=outcome.result,
        files=files,
    )
