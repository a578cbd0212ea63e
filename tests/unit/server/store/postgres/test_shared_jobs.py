"""Jobs of several servers on one database: each is carried out once, by whoever is free, and any server answers for it.
The processes learn nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from haleganada_server.core.errors import NotFound, Precondition, Unavailable
from haleganada_server.core.jobs.job import Job, JobState
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.jobs.run import JobDependencies
from haleganada_server.core.models.models import Models
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.support.jobs.world import COMMAND, ONE, TWO, NamedDatasets
from tests.support.postgres import PostgresServer, execute, fetch_all, missing_postgres, postgres_server
from tests.support.waiting import wait_until

pytest.importorskip("s3fs", reason="the extra cluster is not installed")

from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.shared.catalog import Catalog
from haleganada_server.store.postgres.shared.checkpoints import Checkpoints
from haleganada_server.store.postgres.shared.follower import Follower
from haleganada_server.store.postgres.shared.jobs import SharedJobs
from haleganada_server.store.postgres.shared.models import SharedModels
from haleganada_server.store.postgres.shared.object_store import ObjectStore

LEASE_S = 1.5
_OUTLASTS_STALLS = 160
"""Epochs that last for seconds, so that a job is not over before a busy machine has taken it away from its server."""
FENCES = "SELECT job_id, fence, server, open FROM haleganada.jobs ORDER BY job_id"
LISTED = "SELECT object_id FROM haleganada.objects WHERE kind = 'models' ORDER BY object_id"


class Server:
    """The jobs of one server, which hears of others every tenth of a second."""

    def __init__(self, folder: Path, url: str, objects: Path, datasets: NamedDatasets) -> None:
        temporary = folder / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        (folder / "jobs").mkdir(exist_ok=True)
        self.folder, self.database, store = folder, Database(url), ObjectStore(str(objects))
        self.store = SharedJobs(
            folder / "jobs",
            lambda: temporary / uuid4().hex,
            self.database,
            Catalog(self.database, store, "jobs"),
            LEASE_S,
            Checkpoints(self.database, store, lambda: temporary / uuid4().hex, interval_s=0.1),
        )
        self.models = Models(
            SharedModels(
                folder / "models",
                lambda: temporary / uuid4().hex,
                (),
                Catalog(self.database, store, "models"),
                self.store.require_lease,
            ),
            lambda _folder, _card: pytest.fail("jobs load no models"),
        )
        self.jobs = Jobs(
            JobDependencies(
                store=self.store,
                runner=JobProcessRunner(COMMAND, needed={}),
                datasets=datasets,
                models=self.models,
                weights=folder / "weights",
            )
        )
        self.follower = Follower(self._follow, 0.1)

    def _follow(self) -> None:
        self.jobs.follow()
        self.store.share_checkpoints()

    def start(self) -> Server:
        self.jobs.start()
        self.follower.start()
        return self

    def stop(self) -> None:
        self.jobs.stop()
        self.jobs.close()
        self.follower.stop()
        self.database.close()


Open = Callable[..., Server]


def opener(url: str, root: Path, stack: ExitStack) -> Open:
    def open_server(name: str, known: tuple[object, ...] = (TWO, ONE)) -> Server:
        datasets = NamedDatasets(root / name / "datasets", known)  # type: ignore[arg-type]
        server = Server(root / name, url, root / "objects", datasets)
        stack.callback(server.stop)
        return server

    return open_server


@pytest.fixture
def open_server(database_url: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the jobs of a server by its name, not started yet; known: the data sets that it has."""
    with ExitStack() as stack:
        yield opener(database_url, tmp_path, stack)


def train(server: Server, epochs: int = 2, name: str = "mine") -> Job:
    return server.jobs.start_training("tiny-cnn", TWO.dataset_id, name, {"epochs": epochs})


def wait_for_end(server: Server, job: Job) -> Job:
    return list(server.jobs.watch(job.job_id))[-1]


def wait_for_epochs(server: Server, job: Job, epochs: int = 1) -> Job:
    return wait_until(lambda: found if len((found := server.jobs.get(job.job_id)).epochs) >= epochs else None)


def test_a_job_of_one_server_is_listed_watched_and_kept_at_all(open_server: Open) -> None:
    worker, other = open_server("worker").start(), open_server("other")
    other.follower.start()  # and carries nothing out
    job = train(other, 8)
    seen = list(other.jobs.watch(job.job_id))
    assert seen[-1].state is JobState.SUCCEEDED and JobState.RUNNING in [value.state for value in seen]
    assert [epoch.epoch for epoch in seen[-1].epochs] == list(range(1, 9))
    assert wait_until(lambda: worker.jobs.get(job.job_id).state.is_over)
    assert worker.jobs.get(job.job_id) == other.jobs.get(job.job_id)
    assert [found.job_id for found in other.jobs.page()] == [job.job_id]
    assert other.models.get("mine").model_id == seen[-1].model_id == job.job_id
    assert other.jobs.find_file(job.job_id, "training_history.json").read_text() == "{}"
    other.jobs.delete(job.job_id)
    wait_until(lambda: not worker.jobs.page() and not (worker.folder / "jobs" / job.job_id).exists())
    with pytest.raises(NotFound):
        worker.jobs.get(job.job_id)


def test_a_job_is_cancelled_at_any_server(open_server: Open) -> None:
    worker, other = open_server("worker").start(), open_server("other")
    other.follower.start()
    running, waiting = train(other, 400), train(other, 400)
    third = train(other, 400)
    wait_until(lambda: sum(job.state is JobState.RUNNING for job in other.jobs.page()) == 2)
    wait_for_epochs(other, running)
    for job in (third, running, waiting):
        assert other.jobs.cancel(job.job_id).cancelling
    ended = [wait_for_end(other, job) for job in (running, third)]
    assert [job.state for job in ended] == [JobState.CANCELLED, JobState.CANCELLED]
    assert worker.models.get(running.job_id) and not ended[1].epochs
    with pytest.raises(Precondition):
        other.jobs.delete(train(other, 400).job_id)
    for job in other.jobs.page():
        other.jobs.cancel(job.job_id)


def test_each_job_is_carried_out_once(open_server: Open, database_url: str) -> None:
    servers = [open_server(name).start() for name in ("one", "two", "three")]
    asked = [train(servers[number % 3], 1 + number % 3, f"model {number}") for number in range(9)]
    for job in asked:
        assert wait_for_end(servers[0], job).state is JobState.SUCCEEDED
    assert [(fence, server, is_open) for _, fence, server, is_open in fetch_all(database_url, FENCES)] == [
        (1, "", False)
    ] * 9
    assert len(fetch_all(database_url, LISTED)) == 9
    logs = [len(list((server.folder / "jobs").glob("*/request.json"))) for server in servers]
    assert sum(logs) == 9


def test_what_a_server_does_after_it_lost_its_lease_is_not_kept(open_server: Open, database_url: str) -> None:
    late, other = open_server("late").start(), open_server("other").start()
    other.jobs.follow()
    job = train(late, _OUTLASTS_STALLS, "for late")
    wait_for_epochs(late, job, 2)
    late.follower.stop()  # as if it stood still for longer than the lease
    wait_until(lambda: lapse(database_url) and fetch_all(database_url, FENCES)[0][1] > 1)
    ended = wait_for_end(other, job)
    assert ended.state is JobState.SUCCEEDED and len(ended.epochs) == _OUTLASTS_STALLS
    ((_, fence, server, is_open),) = fetch_all(database_url, FENCES)
    assert (fence >= 3, server, is_open) == (True, "", False)  # claimed, taken away, claimed again
    wait_until(lambda: late.jobs.page() == [ended])
    assert fetch_all(database_url, LISTED) == [(job.job_id,)]
    ours = (other.folder / "models" / job.job_id / "model.json").read_bytes()
    late.models.all()
    assert (late.folder / "models" / job.job_id / "model.json").read_bytes() == ours
    assert late.jobs.find_file(job.job_id, "training_history.json").read_text() == "{}"


def lapse(url: str) -> bool:
    """Let the lease of whoever has claimed a job first be over."""
    execute(url, "UPDATE haleganada.jobs SET lease_until = now() - interval '1 hour' WHERE fence = 1")
    return True


def test_a_job_goes_on_from_its_checkpoint_at_another_server(
    open_server: Open, database_url: str, tmp_path: Path
) -> None:
    one, other = open_server("one").start(), open_server("other")
    job = train(one, 60)
    wait_for_epochs(one, job, 5)
    one.jobs.stop()
    one.jobs.close()
    reached = int((one.folder / "jobs" / job.job_id / "checkpoint").read_text())
    other.start()
    copy = other.folder / "jobs" / job.job_id / "checkpoint"
    assert int(wait_until(lambda: copy.read_text() if copy.exists() else "")) >= reached >= 5
    ended = wait_for_end(other, job)
    assert ended.state is JobState.SUCCEEDED and [epoch.epoch for epoch in ended.epochs] == list(range(1, 61))
    assert fetch_all(database_url, "SELECT checkpoint FROM haleganada.jobs") == [(None,)]
    wait_until(lambda: not list((tmp_path / "objects").glob("checkpoints/*/*/*")))


def test_a_damaged_checkpoint_is_not_used(open_server: Open, database_url: str, tmp_path: Path) -> None:
    one, other = open_server("one").start(), open_server("other")
    job = train(one, 30)
    wait_for_epochs(one, job, 5)
    one.jobs.stop()
    one.jobs.close()
    (kept,) = (tmp_path / "objects").glob("checkpoints/*/*/*")
    kept.write_text("999")
    other.start()
    ended = wait_for_end(other, job)
    assert ended.state is JobState.SUCCEEDED and [epoch.epoch for epoch in ended.epochs] == list(range(1, 31))


def test_a_job_waits_for_a_server_that_has_its_data(open_server: Open) -> None:
    without, with_it = open_server("without", (ONE,)).start(), open_server("with")
    with_it.follower.start()
    job = train(with_it)
    wait_until(lambda: job.job_id in without.jobs._unfit)
    assert without.jobs.get(job.job_id).state is JobState.QUEUED
    with_it.jobs.start()
    assert wait_for_end(without, job).state is JobState.SUCCEEDED


def test_damaged_records_are_told(open_server: Open, database_url: str) -> None:
    one = open_server("one").start()
    job = wait_for_end(one, train(one))
    execute(database_url, "UPDATE haleganada.jobs SET record = replace(record, 'mine', 'yours')")
    found = open_server("other").jobs.get(job.job_id)
    assert found.is_damaged and "damaged" in found.error
    execute(database_url, "UPDATE haleganada.jobs SET record = '{', change = change + 1000")
    wait_until(lambda: one.jobs.get(job.job_id).is_damaged)
    one.jobs.delete(job.job_id)


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that may be stopped."""
    if problem := missing_postgres():
        pytest.skip(problem)
    with postgres_server() as server:
        yield server


def test_a_job_survives_a_database_that_is_away(own_postgres: PostgresServer, tmp_path: Path) -> None:
    url = own_postgres.make_database("shared")
    with ExitStack() as stack:
        one, other = (opener(url, tmp_path, stack)(name).start() for name in ("one", "other"))
        job = train(one, 20)
        wait_for_epochs(one, job)
        own_postgres.stop()
        for server in (one, other):
            server.database.note_away()  # as the feed of a whole server does
        with pytest.raises(Unavailable):
            train(other)
        wait_until(lambda: len(max((s.jobs.get(job.job_id).epochs for s in (one, other)), key=len)) >= 20)
        own_postgres.start()
        for server in (one, other):
            server.database.note_back()
        assert wait_for_end(one, job).state is JobState.SUCCEEDED
        assert fetch_all(url, LISTED) == [(job.job_id,)]
