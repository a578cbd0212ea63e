"""Callers take turns with their jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from haleganada_server.core.access.identity import Caller
from haleganada_server.core.errors import Exhausted
from haleganada_server.core.jobs.job import Job, JobKind, JobState
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.jobs.turns import order_queue
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jobs.world import TWO, jobs
from tests.support.waiting import wait_until

ANNA, BEN = Caller("anna", "10.0.0.1"), Caller("ben", "10.0.0.1")


def job(number: int, caller: Caller, state: JobState = JobState.QUEUED, started_us: int = 0) -> Job:
    return Job(
        job_id=f"{number:03}",
        kind=JobKind.TRAINING,
        state=state,
        created_us=number,
        request={},
        started_us=started_us,
        client=str(caller),
    )


def order(*found: Job, running: tuple[Job, ...] = ()) -> list[str]:
    return [one.job_id for one in order_queue(found, running)]


def test_callers_take_turns_each_with_their_oldest_job() -> None:
    found = (job(1, ANNA), job(2, ANNA), job(3, ANNA), job(4, BEN), job(5, BEN))
    assert order(*found) == ["001", "004", "002", "005", "003"]


def test_who_has_a_job_that_runs_has_had_a_turn() -> None:
    runs = job(1, ANNA, JobState.RUNNING, started_us=9)
    assert order(runs, job(2, ANNA), job(3, BEN)) == ["003", "002"]
    claimed = job(4, BEN)
    assert order(runs, claimed, job(5, BEN), job(6, ANNA), running=(claimed,)) == ["005", "006"]


def test_among_equals_who_was_served_longest_ago_is_first() -> None:
    over = job(1, ANNA, JobState.SUCCEEDED, started_us=7), job(2, BEN, JobState.FAILED, started_us=5)
    assert order(*over, job(3, ANNA), job(4, BEN)) == ["004", "003"]


def test_what_a_restart_has_interrupted_goes_on_first() -> None:
    assert order(job(1, ANNA), job(2, BEN), job(3, ANNA, started_us=4)) == ["003", "002", "001"]


def test_without_tokens_an_address_is_a_caller() -> None:
    here, there = Caller("local", "127.0.0.1"), Caller("local", "10.0.0.7")
    assert order(job(1, here), job(2, here), job(3, there)) == ["001", "003", "002"]


@given(st.lists(st.sampled_from([ANNA, BEN, Caller("cara", "::1")]), max_size=20))
def test_every_job_has_one_place_and_callers_keep_their_own_order(callers: list[Caller]) -> None:
    found = [job(number, caller) for number, caller in enumerate(callers)]
    placed = order_queue(reversed(found))
    assert sorted(one.job_id for one in placed) == [one.job_id for one in found]
    for caller in callers:
        own = [one.job_id for one in placed if one.client == str(caller)]
        assert own == sorted(own)


def start(running: Jobs, caller: Caller, epochs: int = 300) -> Job:
    return running.start_training("resnet18", TWO.name, "m", {"epochs": epochs}, caller=caller)


def test_jobs_run_in_this_order_and_tell_their_places(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        first = start(running, ANNA)
        wait_until(lambda: running.get(first.job_id).state is JobState.RUNNING)
        annas, bens = start(running, ANNA), start(running, BEN)
        assert running.queue_positions() == {bens.job_id: 1, annas.job_id: 2}
        watch = running.watch(annas.job_id)
        assert next(watch).state is JobState.QUEUED
        running.cancel(first.job_id)
        wait_until(lambda: running.get(bens.job_id).state is JobState.RUNNING)
        assert next(watch).state is JobState.QUEUED  # its place has changed, although nothing else has
        watch.close()
        assert running.queue_positions() == {annas.job_id: 1}
        assert running.get(annas.job_id).author == "anna"


def test_one_callers_waiting_jobs_have_a_limit(tmp_path: Path) -> None:
    with jobs(tmp_path, find_queued_limit=lambda caller: {"anna": 2}.get(caller)) as running:
        first = start(running, ANNA)
        wait_until(lambda: running.get(first.job_id).state is JobState.RUNNING)
        start(running, ANNA)
        start(running, ANNA)
        with pytest.raises(Exhausted, match=r"you have 2 jobs that wait.*limits set --caller NAME queued-jobs=N"):
            start(running, ANNA)
        start(running, BEN)
