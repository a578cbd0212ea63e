"""One job from its start to its end: the process is started, what it reports is noted, what it leaves is taken over.

A training whose process is killed, most often for want of memory, is started again and goes on from its checkpoint, as
after a restart of the server; but only once without a further epoch, or it would be killed for ever.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, HaleganadaError, NotFound
from haleganada_server.core.model_names import FEW_SHOT

from .events import Ending, ending, killed, with_epoch, with_progress, with_settings
from .job import Job, JobKind, JobState, Progress
from .ports import DatasetSource, JobProcess, JobRunner, JobStore, ModelRegistry

_SAVE_EVERY_S = 1.0
_AGAIN = Progress(
    stage="waiting",
    message="its process was killed, most often because the machine had no memory left; this job goes on from its last "
    "checkpoint, if it has one",
)
_log = logging.getLogger(__name__)

Change = Callable[[str, Callable[[Job], Job], bool], Job]
"""change(job_id, how, durable): carry out a change of a job and show it; it is on disk afterwards if it is durable."""


@dataclass(frozen=True, slots=True)
class JobDependencies:
    """What jobs work with. backbone_weights: file of weights from ImageNet, None = not given. weights: folder of the
    embedder. patience_s: how long a cancelled job may take to end by itself.
    """

    store: JobStore
    runner: JobRunner
    datasets: DatasetSource
    models: ModelRegistry
    weights: Path
    backbone_weights: Path | None = None
    patience_s: float = 120.0


class JobRun:
    """One run of one job. run() is for one thread, the other methods for any."""

    def __init__(self, job_id: str, tools: JobDependencies, change: Change) -> None:
        self.job_id = job_id
        self._tools = tools
        self._change = change
        self._lock = threading.Lock()
        self._process: JobProcess | None = None
        self._left = False
        self._impatience: threading.Timer | None = None
        self._saved_s = 0.0
        self._furthest = 0  # epoch of all that its processes have told
        self._restarted = False

    def run(self) -> None:
        """Returns when the job is over, or after leave() as soon as its process is gone."""
        try:
            end = self._carry_out()
        except HaleganadaError as error:
            end = Ending(JobState.FAILED, error.reason, error.message)
        except Exception:
            _log.exception("job %s failed", self.job_id)
            end = Ending(JobState.FAILED, Reason.INTERNAL, "the server failed at this job; its log has the reason")
        if end is not None:
            self._end(end)

    def cancel(self) -> None:
        """Ask the process to end, and end it if it does not."""
        with self._lock:
            if self._process is not None and self._impatience is None:
                self._process.cancel()
                self._impatience = threading.Timer(self._tools.patience_s, self._process.kill)
                self._impatience.daemon = True
                self._impatience.start()

    def leave(self) -> None:
        """Let the process end where it is; the job goes on when it is run again."""
        with self._lock:
            self._left = True
            if self._process is not None:
                self._process.leave()

    def kill(self) -> None:
        """End the process without asking."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _carry_out(self) -> Ending | None:
        """How the job ended; None if it was left."""
        store = self._tools.store
        job = self._begin()
        if job is None:
            return None
        self._furthest = len(job.epochs)
        path = store.write_request(self.job_id, self._request(job))
        while (process := self._start(path)) is not None:
            before = self._furthest
            last = self._follow(process)
            status = process.wait()
            self._calm()
            _log.info("job %s: its process ended with status %d", self.job_id, status)
            if self._left and not last:
                return None
            if not self._goes_on(last, status, further=self._furthest > before):
                return ending(self._present(), last, status, store.last_words(self.job_id))
        return None

    def _begin(self) -> Job | None:
        """The job, which runs from now on; None if it was cancelled, or deleted after that, in the very last moment."""
        try:
            job = self._change(self.job_id, _begun, True)
        except NotFound:
            return None
        return None if job.state.is_over else job

    def _goes_on(self, last: Mapping[str, Any], status: int, further: bool) -> bool:
        """Whether the process is to be started again. further: an epoch was finished that had never been."""
        job = self._present()
        if job.kind is not JobKind.TRAINING or not killed(job, last, status) or (self._restarted and not further):
            return False
        self._restarted = True
        _log.warning("job %s: its process was killed, and is started again", self.job_id)
        self._note(lambda job: replace(job, progress=_AGAIN), durable=False)
        return True

    def _start(self, request: Path) -> JobProcess | None:
        """The process, which cancel() and leave() reach from now on; None if the job was left before."""
        with self._lock:
            if self._left:
                return None
            try:
                process = self._tools.runner.start(request, self._tools.store.log(self.job_id))
            except OSError as error:
                message = f"the job's process cannot be started ({error.strerror}); start the job again later"
                raise Exhausted(message, Reason.PROCESS_NOT_STARTED) from error
            self._process, self._impatience = process, None  # a cancel that the one before heard is said again
        if self._present().cancelling:
            self.cancel()
        return process

    def _calm(self) -> None:
        """Its process has ended, and need not be ended any more."""
        with self._lock:
            if self._impatience is not None:
                self._impatience.cancel()

    def _follow(self, process: JobProcess) -> Mapping[str, Any]:
        """Note what the process reports; its "done" or "failed" report, or {}."""
        last: Mapping[str, Any] = {}
        for event in process.events():
            if "progress" in event:
                self._note(partial(with_progress, entry=event["progress"]), durable=False)
            elif "settings" in event:
                self._note(partial(with_settings, entry=event["settings"]), durable=True)
            elif "epoch" in event:
                self._note_epoch(event["epoch"])
            elif "done" in event or "failed" in event:
                last = event
        return last

    def _note_epoch(self, entry: Any) -> None:
        """A training tells all epochs of its checkpoint again when it goes on, so not each must be on disk."""
        durable = time.monotonic() - self._saved_s > _SAVE_EVERY_S
        if durable:
            self._saved_s = time.monotonic()
            files = self._tools.store.files(self.job_id)
            self._note(lambda job: replace(with_epoch(job, entry), files=files), durable=True)
        else:
            self._note(partial(with_epoch, entry=entry), durable=False)
        self._furthest = max([self._furthest, *(epoch.epoch for epoch in self._present().epochs[-1:])])

    def _present(self) -> Job:
        return self._change(self.job_id, lambda job: job, False)

    def _note(self, how: Callable[[Job], Job], durable: bool) -> bool:
        """A change in between, which a disk that is full does not end the job for; False if it is not on disk."""
        try:
            self._change(self.job_id, how, durable)
            return durable
        except (Exhausted, OSError) as error:
            _log.warning("job %s: its state is not kept: %s", self.job_id, error)
            self._change(self.job_id, how, False)
            return False

    def _end(self, end: Ending) -> None:
        model_id = ""
        if end.model:
            try:
                model_id = self._tools.models.register(self._tools.store.folder(self.job_id) / "model")
            except HaleganadaError as error:
                end = Ending(JobState.FAILED, error.reason, error.message)
            except Exception:
                _log.exception("the model of job %s cannot be kept", self.job_id)
                end = Ending(
                    JobState.FAILED, Reason.INTERNAL, "its model cannot be kept; the server's log has the reason"
                )
        files = self._tools.store.files(self.job_id)
        if self._note(lambda job: _ended(job, end, model_id, files), durable=True):
            self._tools.store.tidy(self.job_id)  # else the next server, which does not know the end, needs them

    def _request(self, job: Job) -> dict[str, Any]:
        """What the process is to do. Raises NotFound if something it needs was deleted meanwhile."""
        asked = job.request
        common = {
            "kind": job.kind.value,
            "job_id": job.job_id,
            "folder": str(self._tools.store.folder(job.job_id).absolute()),
            "dataset": self._dataset(asked["dataset_id"]),
        }
        if job.kind is JobKind.TRAINING:
            given = {name: asked[name] for name in ("preset", "name", "settings")}
            backbone = self._tools.backbone_weights
            return {**common, **given, "backbone_weights": str(backbone.absolute()) if backbone else ""}
        models = [self._model(model_id) for model_id in asked["models"]]
        return {**common, "models": models, "quick": asked["quick"], "weights": str(self._tools.weights.absolute())}

    def _dataset(self, dataset_id: str) -> dict[str, Any]:
        info = self._tools.datasets.get(dataset_id)
        return info.for_process(self._tools.datasets.folder(dataset_id))

    def _model(self, model_id: str) -> dict[str, str]:
        model = self._tools.models.find(model_id)
        if model is None:
            return {"model_id": FEW_SHOT, "name": FEW_SHOT}
        return {"model_id": model.model_id, "name": model.card.name, "folder": str(model.folder.absolute())}


def _begun(job: Job) -> Job:
    if job.state.is_over:
        return job
    return replace(job, state=JobState.RUNNING, started_us=job.started_us or now_us())


def _ended(job: Job, end: Ending, model_id: str, files: dict[str, int]) -> Job:
    done = job.progress if end.state is JobState.SUCCEEDED else Progress(stage=job.progress.stage)
    return replace(
        job,
        state=end.state,
        ended_us=now_us(),
        progress=replace(done, eta_seconds=0.0, message=""),
        model_id=model_id,
        error=end.message,
        error_reason=end.reason,
        result=end.result,
        files=files,
    )
