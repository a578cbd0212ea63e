"""Jobs of servers that share a database, whose processes are killed and stand still: each job has one result."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from haleganada_client import Job, JobState, TrainingSettings

from tests.e2e.processes import ServerProcess, start_preloaded
from tests.support.jobs import serve
from tests.support.jobs.datasets import crosses_and_bars
from tests.support.postgres import fetch_all
from tests.support.slow import slow
from tests.support.waiting import wait_until

pytest.importorskip("s3fs", reason="the extra cluster is not installed")

EPOCHS = 30
LISTED = "SELECT object_id FROM haleganada.objects WHERE kind = 'models' AND NOT deleted"


class Pair:
    """Two servers, each in a process of its own, on one database and one folder of objects."""

    def __init__(self, root: Path, url: str) -> None:
        self._root, self._url = root, url
        self.servers = [self._start(number) for number in range(2)]

    def find_worker(self, job: Job) -> int:
        """Return which server carries out a job."""
        return wait_until(lambda: next((number + 1 for number in range(2) if self._has_begun(number, job)), 0)) - 1

    def replace(self, number: int) -> None:
        """Kill a server and start another one on its data directory."""
        self.servers[number].kill()
        self.servers[number] = self._start(number)

    def get(self, number: int, job: Job) -> Job:
        with self.servers[number].client() as client:
            return client.jobs.get(job.job_id)

    def close(self) -> None:
        for server in self.servers:
            server.kill()

    def have_same_model(self, job: Job) -> bool:
        """Whether both have the model of a job: one copies it a moment after it knows that the job is over."""
        paths = [self._root / f"data-{number}" / "models" / job.job_id / "model.json" for number in range(2)]
        return all(path.exists() for path in paths) and paths[0].read_bytes() == paths[1].read_bytes()

    def _has_begun(self, number: int, job: Job) -> bool:
        return (self._root / f"data-{number}" / "jobs" / job.job_id / "checkpoint").exists()

    def _start(self, number: int) -> ServerProcess:
        shared = [f"store={self._url}", f"objects={self._root / 'objects'}", "lease=2"]
        return start_preloaded([serve.__file__, "0", str(self._root / f"data-{number}"), *shared])


@pytest.fixture
def pair(database_url: str, tmp_path: Path) -> Iterator[Pair]:
    """The servers, with a data set called “letters”."""
    with ExitStack() as stack:
        servers = Pair(tmp_path, database_url)
        stack.callback(servers.close)
        with servers.servers[0].client() as client:
            client.datasets.upload(crosses_and_bars(tmp_path))
        yield servers


def train(server: ServerProcess, name: str) -> Job:
    with server.client() as client:
        return client.jobs.start_training("tiny-cnn", "letters", name=name, settings=TrainingSettings(epochs=EPOCHS))


def epochs_of(job: Job) -> list[int]:
    assert job.training is not None
    return [epoch.epoch for epoch in job.training.epochs]


def wait_for_end(pair: Pair, job: Job) -> list[Job]:
    """Return the job as each server has it in the end."""
    wait_until(lambda: all(pair.get(number, job).state.is_over for number in range(2)))
    return [pair.get(number, job) for number in range(2)]


@pytest.mark.parametrize("kills", [1, *slow(20)])
def test_a_job_outlives_its_servers(pair: Pair, database_url: str, kills: int) -> None:
    chance, jobs = random.Random(kills), []
    for number in range(kills):
        job = train(pair.servers[number % 2], f"model {number}")
        jobs.append(job)
        worker = pair.find_worker(job)
        epochs = chance.randrange(EPOCHS // 2)
        wait_until(lambda: len(epochs_of(pair.get(worker, job))) >= epochs)  # noqa: B023 - asked at once
        pair.replace(worker)
        for found in wait_for_end(pair, job):
            assert found.state is JobState.SUCCEEDED and epochs_of(found) == list(range(1, EPOCHS + 1))
            assert found.training is not None and found.training.model_id == job.job_id
    assert sorted(row[0] for row in fetch_all(database_url, LISTED)) == sorted(job.job_id for job in jobs)
    for job in jobs:
        wait_until(lambda: pair.have_same_model(job))  # noqa: B023 - asked at once


def test_a_server_that_stood_still_keeps_nothing(pair: Pair, database_url: str) -> None:
    job = train(pair.servers[0], "mine")
    worker = pair.find_worker(job)
    still = pair.servers[worker].process.pid
    os.kill(still, signal.SIGSTOP)
    try:
        wait_until(lambda: pair.get(1 - worker, job).state.is_over)
    finally:
        os.kill(still, signal.SIGCONT)
    one, other = wait_for_end(pair, job)
    assert one == other and one.state is JobState.SUCCEEDED and len(epochs_of(one)) == EPOCHS
    assert fetch_all(database_url, LISTED) == [(job.job_id,)]
    wait_until(lambda: pair.have_same_model(job))
