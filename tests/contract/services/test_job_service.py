"""JobService through the generated stubs over loopback, with real processes that learn nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from haleganada.v1 import job_service_pb2 as pb
from haleganada.v1 import job_service_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada_server.core.jobs.job import JobKind
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.contract.refusals import expect_refusal, parse
from tests.support.jobs.datasets import add_letters
from tests.support.jobs.world import COMMAND
from tests.support.waiting import wait_until

Stub = job_service_pb2_grpc.JobServiceStub
OVER = (pb.JOB_STATE_SUCCEEDED, pb.JOB_STATE_FAILED, pb.JOB_STATE_CANCELLED)


@pytest.fixture
def server(start_server: StartServer, tmp_path: Path) -> Iterator[RunningServer]:
    """A server with a data set called “letters”, whose jobs learn nothing."""
    running = start_server(JobProcessRunner(COMMAND, {}), max_watchers=3, caller_share=1.0)
    add_letters(running.app.datasets, tmp_path)
    yield running
    running.stop()


@pytest.fixture
def jobs(server: RunningServer) -> Stub:
    return Stub(server.channel)


def start(jobs: Stub, name: str = "", epochs: int = 2) -> pb.Job:
    request = pb.StartTrainingRequest(preset="cnn36", dataset_id="letters", model_name=name)
    request.settings.epochs = epochs
    return jobs.StartTraining(request).job


def watch_all(jobs: Stub, job: pb.Job) -> list[pb.Job]:
    return [answer.job for answer in jobs.WatchJob(pb.WatchJobRequest(job_id=job.job_id), timeout=30)]


def test_start_training(jobs: Stub) -> None:
    request = pb.StartTrainingRequest(preset="cnn36", dataset_id="letters")
    request.settings.CopyFrom(
        pb.TrainingSettings(epochs=3, weight_decay=0.0, optimizer=pb.OPTIMIZER_ADAM, augment=False, patience=0)
    )
    asked = jobs.StartTraining(request).job
    assert (asked.WhichOneof("work"), asked.state) == ("training", pb.JOB_STATE_QUEUED)
    assert asked.create_time.seconds and not asked.HasField("start_time") and not asked.HasField("end_time")
    assert asked.training.requested_settings == request.settings
    last = watch_all(jobs, asked)[-1]
    assert last.state == pb.JOB_STATE_SUCCEEDED and last.training.model_id and not last.error
    assert not asked.training.HasField("settings") and last.training.settings.batch_size == 8
    assert not last.training.settings.HasField("seed"), "its process did not tell"
    assert [epoch.epoch for epoch in last.training.epochs] == [1, 2, 3]
    assert last.training.epochs[1].validation_accuracy == pytest.approx(0.75)
    assert jobs.GetJob(pb.GetJobRequest(job_id=asked.job_id)).job == last
    listed = jobs.ListJobs(pb.ListJobsRequest()).jobs[0]
    assert listed.job_id == asked.job_id and not listed.training.epochs and not listed.files
    assert (listed.training.preset, listed.training.model_name) == ("cnn36", "cnn36 letters")
    assert listed.training.dataset_name == "letters" and listed.training.dataset_id == asked.training.dataset_id


def test_start_evaluation(jobs: Stub) -> None:
    asked = jobs.StartEvaluation(pb.StartEvaluationRequest(models=["few-shot"], dataset_id="letters", quick=True)).job
    last = watch_all(jobs, asked)[-1]
    assert (last.WhichOneof("work"), last.state) == ("evaluation", pb.JOB_STATE_SUCCEEDED)
    assert [(m.model_id, m.name) for m in last.evaluation.models] == [("few-shot", "few-shot")]
    assert last.evaluation.quick and last.evaluation.result.models[0].accuracy == 0.75
    assert not jobs.ListJobs(pb.ListJobsRequest()).jobs[0].evaluation.HasField("result")
    assert [(file.name, file.size_bytes) for file in last.files] == [("confusion_matrix.png", 200_000)]


def test_get_job_file(jobs: Stub) -> None:
    asked = jobs.StartEvaluation(pb.StartEvaluationRequest(models=["few-shot"], dataset_id="letters")).job
    watch_all(jobs, asked)
    parts = list(jobs.GetJobFile(pb.GetJobFileRequest(job_id=asked.job_id, name="confusion_matrix.png")))
    assert sum(len(part.chunk) for part in parts) == 200_000 and max(len(part.chunk) for part in parts) <= 65536
    for name in ("../job.json", "job.json", "/etc/passwd"):
        elsewhere = pb.GetJobFileRequest(job_id=asked.job_id, name=name)
        no = expect_refusal(lambda: list(jobs.GetJobFile(elsewhere)))  # noqa: B023  called at once
        assert (no.code, no.reason) == (StatusCode.NOT_FOUND, "FILE_NOT_FOUND")


def test_refusals(jobs: Stub) -> None:
    training, letters = pb.StartTrainingRequest, "letters"
    cases: list[tuple[Callable[[], object], StatusCode, str]] = [
        (lambda: jobs.StartTraining(training(dataset_id=letters)), StatusCode.INVALID_ARGUMENT, "preset"),
        (lambda: jobs.StartTraining(training(preset="x", dataset_id=letters)), StatusCode.INVALID_ARGUMENT, "cnn36"),
        (lambda: jobs.StartTraining(training(preset="cnn36", dataset_id="x")), StatusCode.NOT_FOUND, "“x”"),
        (
            lambda: jobs.StartTraining(
                training(preset="cnn36", dataset_id=letters, settings=pb.TrainingSettings(epochs=-1))
            ),
            StatusCode.INVALID_ARGUMENT,
            "settings.epochs",
        ),
        (
            lambda: jobs.StartEvaluation(pb.StartEvaluationRequest(dataset_id=letters)),
            StatusCode.INVALID_ARGUMENT,
            "models",
        ),
        (lambda: jobs.GetJob(pb.GetJobRequest(job_id="x")), StatusCode.NOT_FOUND, "“x”"),
        (lambda: jobs.GetJob(pb.GetJobRequest()), StatusCode.INVALID_ARGUMENT, "job_id"),
        (lambda: jobs.CancelJob(pb.CancelJobRequest(job_id="x")), StatusCode.NOT_FOUND, "“x”"),
        (lambda: jobs.DeleteJob(pb.DeleteJobRequest(job_id="x")), StatusCode.NOT_FOUND, "“x”"),
        (lambda: list(jobs.WatchJob(pb.WatchJobRequest(job_id="x"))), StatusCode.NOT_FOUND, "“x”"),
        (lambda: jobs.ListJobs(pb.ListJobsRequest(page_token="x")), StatusCode.INVALID_ARGUMENT, "page_token"),
    ]
    for call, code, words in cases:
        no = expect_refusal(call)
        assert no.code == code and words in no.message, no


def test_without_torch_the_error_says_what_to_install(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(JobProcessRunner(COMMAND, {JobKind.TRAINING: ("no_such_torch",)}))
    add_letters(server.app.datasets, tmp_path)
    no = expect_refusal(lambda: start(Stub(server.channel)))
    assert (no.code, no.reason) == (StatusCode.FAILED_PRECONDITION, "TORCH_NOT_INSTALLED")
    assert "pip install -e '.[train]'" in no.message


def test_list_jobs(jobs: Stub) -> None:
    asked = [start(jobs, f"m{i}", 1).job_id for i in range(5)]
    seen, token = [], ""
    while True:
        page = jobs.ListJobs(pb.ListJobsRequest(page_size=2, page_token=token))
        seen += [job.job_id for job in page.jobs]
        token = page.next_page_token
        if not token:
            break
    assert seen == asked[::-1]


def test_a_job_that_is_being_cancelled_says_so_until_it_has_ended(jobs: Stub) -> None:
    asked = start(jobs, "ignores cancel", epochs=10_000)
    wait_until(lambda: get(jobs, asked).state == pb.JOB_STATE_RUNNING)
    assert not get(jobs, asked).cancelling
    jobs.CancelJob(pb.CancelJobRequest(job_id=asked.job_id))
    assert get(jobs, asked).cancelling and get(jobs, asked).state == pb.JOB_STATE_RUNNING
    assert [job.cancelling for job in jobs.ListJobs(pb.ListJobsRequest()).jobs] == [True]
    waiting = start(jobs)
    ended = jobs.CancelJob(pb.CancelJobRequest(job_id=waiting.job_id)).job
    assert ended.state == pb.JOB_STATE_CANCELLED and not ended.cancelling


def get(jobs: Stub, job: pb.Job) -> pb.Job:
    return jobs.GetJob(pb.GetJobRequest(job_id=job.job_id)).job


def test_get_job(jobs: Stub) -> None:
    asked = start(jobs, "mine")
    assert get(jobs, asked).training.model_name == "mine"
    wait_until(lambda: get(jobs, asked).state in OVER)
    assert get(jobs, asked) == watch_all(jobs, asked)[-1]


def test_watch_job(jobs: Stub) -> None:
    seen = watch_all(jobs, start(jobs))
    states = [job.state for job in seen]
    assert states == sorted(states) and states[-1] == pb.JOB_STATE_SUCCEEDED and len(seen) > 1
    assert watch_all(jobs, seen[-1]) == seen[-1:], "what is over is told once"


def test_delete_job(jobs: Stub) -> None:
    asked = start(jobs)
    watch_all(jobs, asked)
    jobs.DeleteJob(pb.DeleteJobRequest(job_id=asked.job_id))
    no = expect_refusal(lambda: get(jobs, asked))
    assert (no.code, no.reason) == (StatusCode.NOT_FOUND, "JOB_NOT_FOUND")
    assert not jobs.ListJobs(pb.ListJobsRequest()).jobs


def test_cancel_job(jobs: Stub) -> None:
    """The best state is kept; what has not begun never begins."""
    asked = start(jobs, "long", 10_000)
    waiting = start(jobs, "waiting")
    wait_until(lambda: len(jobs.GetJob(pb.GetJobRequest(job_id=asked.job_id)).job.training.epochs) > 1)
    assert jobs.CancelJob(pb.CancelJobRequest(job_id=waiting.job_id)).job.state == pb.JOB_STATE_CANCELLED
    no = expect_refusal(lambda: jobs.DeleteJob(pb.DeleteJobRequest(job_id=asked.job_id)))
    assert (no.code, no.reason) == (StatusCode.FAILED_PRECONDITION, "JOB_NOT_OVER")
    jobs.CancelJob(pb.CancelJobRequest(job_id=asked.job_id))
    last = watch_all(jobs, asked)[-1]
    assert last.state == pb.JOB_STATE_CANCELLED and last.training.model_id
    jobs.DeleteJob(pb.DeleteJobRequest(job_id=asked.job_id))
    assert [job.job_id for job in jobs.ListJobs(pb.ListJobsRequest()).jobs] == [waiting.job_id]


def test_cancelled_watches_free_their_threads(jobs: Stub, server: RunningServer) -> None:
    asked = start(jobs, "ignores cancel")
    request = pb.WatchJobRequest(job_id=asked.job_id)
    for _ in range(4):
        watches = [_watch_when_admitted(jobs, request) for _ in range(3)]
        no = expect_refusal(lambda: next(jobs.WatchJob(request)))
        assert (no.code, no.reason) == (StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WATCHERS") and no.retry_s
        server.ocr.Predict(ocr.PredictRequest(glyph=cross()), timeout=5)
        for watch in watches:
            watch.cancel()


def _watch_when_admitted(jobs: Stub, request: pb.WatchJobRequest) -> Any:
    """Return a watch that was admitted; the place of a cancelled one may not be free yet."""

    def watch() -> Any:
        asked = jobs.WatchJob(request)
        try:
            next(asked)
        except grpc.RpcError as error:
            assert parse(error).reason == "TOO_MANY_WATCHERS"
            return None
        return asked

    return wait_until(watch)


def test_stopping_ends_watches_and_the_job_resumes_later(start_server: StartServer, tmp_path: Path) -> None:
    first = start_server(JobProcessRunner(COMMAND, {}))
    add_letters(first.app.datasets, tmp_path)
    jobs = Stub(first.channel)
    asked = start(jobs, "long", 30)
    wait_until(lambda: len(jobs.GetJob(pb.GetJobRequest(job_id=asked.job_id)).job.training.epochs) > 2)
    began = time.monotonic()
    with grpc.insecure_channel(first.address) as channel:
        watch = Stub(channel).WatchJob(pb.WatchJobRequest(job_id=asked.job_id))
        next(watch)
        stopping = threading.Thread(target=first.stop)
        stopping.start()
        with pytest.raises(grpc.RpcError) as ended:
            list(watch)
        assert parse(ended.value).code == StatusCode.UNAVAILABLE
        stopping.join()
    assert time.monotonic() - began < 4
    again = start_server(JobProcessRunner(COMMAND, {}))
    last = watch_all(Stub(again.channel), asked)[-1]
    assert last.state == pb.JOB_STATE_SUCCEEDED and [epoch.epoch for epoch in last.training.epochs] == list(
        range(1, 31)
    )
