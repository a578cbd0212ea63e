"""Which jobs and models must be there, and which model answers, whatever killed the server: a model that every
acknowledged call changes. What was seen once counts as acknowledged, too: a job's end, and the model that it made.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from haleganada_client import HaleganadaClient, Job, JobState
from haleganada_client.errors import AlreadyExists

from tests.support.jobs.datasets import crosses_and_bars

FEW_SHOT = "few-shot"
TRAINED_ON = "trained on"
WORKSPACE = "answered by models"
_MOST_JOBS, _MOST_UNFINISHED = 6, 2
_BUILT_IN = (FEW_SHOT, "starter", "kannada-print", "latin-hand")


@dataclass(frozen=True)
class Ended:
    """How a job ended."""

    state: JobState
    model_id: str


@dataclass
class ModelOfTrainings:
    """Jobs, models and the active model, changed by one caller. names: of the models that jobs make, by job_id. ended:
    jobs that were seen to be over. models: ids that were seen. gone_jobs, gone_models: ids of those that were deleted.
    pending: a call without an answer, and the id or name that it was about.
    """

    dice: random.Random
    names: dict[str, str] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    gone_jobs: set[str] = field(default_factory=set)
    gone_models: set[str] = field(default_factory=set)
    active: str = FEW_SHOT
    pending: tuple[str, str] | None = None
    dataset_id: str = ""
    calls: int = 0
    _numbers: count[int] = field(default_factory=count)

    def change(self, client: HaleganadaClient, folder: Path, what: str = "") -> None:
        """Make one change, of the kind that is named or that chance chooses. Raises the call's error."""
        self._prepare(client, folder)
        self.look(client)
        operation: Callable[[HaleganadaClient], None] = getattr(self, f"_{what or self._choose()}")
        operation(client)
        self.pending = None
        self.calls += 1

    def _choose(self) -> str:
        unfinished = len(self.names) - len(self.ended)
        if len(self.names) < _MOST_JOBS and unfinished < _MOST_UNFINISHED:
            return "start"
        able = ["activate"] * bool(self.models) + ["delete_job"] * bool(self.ended)
        return self.dice.choice([*able, *["delete_model"] * bool(self._deletable()), "activate_few_shot"])

    def _deletable(self) -> list[str]:
        """Return the models that nobody needs: a job that is not over yet may make its model again."""
        return sorted(self.models & {end.model_id for end in self.ended.values()} - {self.active})

    def _start(self, client: HaleganadaClient) -> None:
        name = f"model {next(self._numbers)}"
        self.pending = ("start", name)
        self.names[client.jobs.start_training("cnn36", self.dataset_id, name=name).job_id] = name

    def _delete_job(self, client: HaleganadaClient) -> None:
        job_id = next(iter(self.ended))
        self.pending = ("delete_job", job_id)
        client.jobs.delete(job_id)
        self._forget_job(job_id)

    def _delete_model(self, client: HaleganadaClient) -> None:
        model_id = self.dice.choice(self._deletable())
        self.pending = ("delete_model", model_id)
        client.models.delete(model_id)
        self._forget_model(model_id)

    def _activate(self, client: HaleganadaClient) -> None:
        self._activate_one(client, self.dice.choice(sorted(self.models)))

    def _activate_few_shot(self, client: HaleganadaClient) -> None:
        self._activate_one(client, FEW_SHOT)

    def _activate_one(self, client: HaleganadaClient, model_id: str) -> None:
        self.pending = ("activate", model_id)
        client.models.activate(model_id, workspace=WORKSPACE)
        self.active = model_id

    def _prepare(self, client: HaleganadaClient, folder: Path) -> None:
        """Make what trainings need, as far as it is not there."""
        if self.dataset_id:
            return
        found = next((made for made in client.datasets.list() if made.name == TRAINED_ON), None)
        made = found or client.datasets.upload(crosses_and_bars(folder), name=TRAINED_ON)
        with suppress(AlreadyExists):  # a kill came between its creation and the answer
            client.create_workspace(WORKSPACE)
        self.dataset_id = made.dataset_id

    def look(self, client: HaleganadaClient) -> None:
        """Check that everything acknowledged is there, and remember what has been done since."""
        jobs, models = client.jobs.list(), client.models.list()
        listed, made = {job.job_id for job in jobs}, {model.model_id for model in models} - set(_BUILT_IN)
        assert self.names.keys() <= listed, f"jobs are gone: {self.names.keys() - listed}"
        assert self.models <= made, f"models are gone: {self.models - made}"
        back = (self.gone_jobs & listed) | (self.gone_models & made)
        assert not back, f"deleted, and there again: {back}"
        names = [model.name for model in models]
        assert len(names) == len(set(names)), f"a job has made two models: {names}"
        assert not any(model.damage for model in models), models
        for job in jobs:
            self._look_at(job, made)
        self.models = made

    def _look_at(self, job: Job, made: set[str]) -> None:
        assert job.training is not None and self.names.get(job.job_id) == job.training.model_name, job
        if not job.state.is_over:
            assert job.job_id not in self.ended, f"it had ended: {job}"
            return
        assert job.state is JobState.SUCCEEDED, job
        end = Ended(job.state, job.training.model_id)
        assert self.ended.setdefault(job.job_id, end) == end
        assert end.model_id in made | self.gone_models, f"it has no model: {job}"

    def settle(self, client: HaleganadaClient) -> None:
        """Check everything after a kill, and take over what an unanswered call has done."""
        if not self.dataset_id:
            return
        what, about = self.pending or ("", "")
        jobs = client.jobs.list()
        if what == "start":
            begun = [job.job_id for job in jobs if job.job_id not in self.names]
            assert len(begun) <= 1, f"one call has started several jobs: {begun}"
            self.names |= dict.fromkeys(begun, about)
        elif what == "delete_job" and about not in {job.job_id for job in jobs}:
            self._forget_job(about)
        elif what == "delete_model" and about not in {model.model_id for model in client.models.list()}:
            self._forget_model(about)
        answering = client.get_workspace(WORKSPACE).model
        assert answering in ({self.active, about} if what == "activate" else {self.active}), (answering, self)
        self.active = answering
        self.look(client)
        self.pending = None

    def finish(self, client: HaleganadaClient) -> None:
        """Wait until all jobs are over, and check them once more."""
        for job_id in self.names:
            list(client.jobs.watch(job_id))
        self.look(client)
        assert self.names.keys() == self.ended.keys()

    def _forget_job(self, job_id: str) -> None:
        self.names.pop(job_id, None)
        self.ended.pop(job_id, None)
        self.gone_jobs.add(job_id)

    def _forget_model(self, model_id: str) -> None:
        self.models.discard(model_id)
        self.gone_models.add(model_id)
