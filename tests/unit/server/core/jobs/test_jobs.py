"""Jobs with real processes: queued, watched, cancelled, killed, resumed. The processes learn nothing."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss, InvalidInput, NotFound, Precondition, Unavailable
from haleganada_server.core.jobs.job import Job, JobKind, JobState
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.jobs.ports import CHECKPOINTS
from haleganada_server.core.models.card import ModelCard
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.support.jobs.world import COMMAND, ONE, TWO, jobs, make_dependencies
from tests.support.tiny_model import SIDE, TinyModel, write_tiny_model
from tests.support.waiting import wait_until


def wait_for_end(running: Jobs, job: Job) -> Job:
    """Wait until a job is over and return it."""
    return list(running.watch(job.job_id))[-1]


def test_a_training_leaves_a_model_epochs_and_files(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = running.start_training("tiny-cnn", TWO.name, "mine", {"epochs": 4})
        seen = list(running.watch(asked.job_id))
        job = seen[-1]
        assert job.state is JobState.SUCCEEDED and not job.error
        assert [epoch.epoch for epoch in job.epochs] == [1, 2, 3, 4]
        assert job.created_us < job.started_us < job.ended_us
        assert job.files == {"training_history.json": 2}
        assert running.find_file(job.job_id, "training_history.json").read_text() == "{}"
        card = ModelCard.from_json((tmp_path / "models" / job.model_id / "model.json").read_bytes())
        assert (card.name, card.labels) == ("mine", ("a", "ಅ"))
        assert not (tmp_path / "jobs" / job.job_id / "model").exists()
        assert {value.state for value in seen} >= {JobState.RUNNING, JobState.SUCCEEDED}
        assert job.settings == {"epochs": 4, "batch_size": 8, "learning_rate": 1e-3, "augment": True}
        assert asked.settings == {} and job.request["settings"] == {"epochs": 4}, "the request is unchanged"
    with jobs(tmp_path) as again:
        assert again.get(job.job_id) == job


def test_an_evaluation_has_a_result(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        trained = wait_for_end(running, running.start_training("cnn36", TWO.name, "mine", {"epochs": 1}))
        job = wait_for_end(running, running.start_evaluation(["few-shot", "mine"], TWO.dataset_id))
        assert job.state is JobState.SUCCEEDED and [model["name"] for model in job.result["models"]] == [
            "few-shot",
            "mine",
        ]
        assert job.request["models"] == ["few-shot", trained.model_id]
        assert job.request["model_names"] == ["few-shot", "mine"] and not job.model_id


def test_invalid_requests_are_refused_at_once(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        refusals: list[tuple[Callable[[], Job], type[Exception], str]] = [
            (lambda: running.start_training("cnn37", TWO.name), InvalidInput, "cnn36"),
            (lambda: running.start_training("cnn36", "nothing"), NotFound, "nothing"),
            (lambda: running.start_training("cnn36", ONE.name), Precondition, "two labels"),
            (lambda: running.start_training("cnn36", TWO.name, "a\nb"), InvalidInput, "name"),
            (lambda: running.start_training("cnn36", TWO.name, "", {"epochs": 0}), InvalidInput, "settings.epochs"),
            (lambda: running.start_evaluation(["no such"], TWO.name), NotFound, "no such"),
            (lambda: running.start_evaluation(["few-shot"], ONE.name), Precondition, "test"),
            (lambda: running.start_evaluation([], TWO.name), InvalidInput, "models"),
            (lambda: running.start_evaluation(["few-shot"] * 2, TWO.name), InvalidInput, "twice"),
        ]
        for call, kind, phrase in refusals:
            with pytest.raises(kind, match=phrase):
                call()
        assert running.page() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 5000), ("learning_rate", -1.0), ("learning_rate", float("nan")), ("learning_rate", 1e300),
        ("weight_decay", -0.1), ("weight_decay", 2.0), ("patience", -1), ("accumulation", 257), ("seed", -1),
        ("checkpoint_every", 1001), ("optimizer", "sgd"), ("image_size_px", 15), ("workers", 0), ("shift", 0.6),
        ("rotation_degrees", 181.0), ("class_weights", "rare"),
        ("momentum", 0.9),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_named(tmp_path: Path, name: str, value: object) -> None:
    with jobs(tmp_path) as running, pytest.raises(InvalidInput) as refused:
        running.start_training("cnn36", TWO.name, "", {name: value})
    assert refused.value.field == f"settings.{name}"


def test_a_training_starts_only_from_a_model_that_fits(tmp_path: Path) -> None:
    dependencies = make_dependencies(tmp_path)
    raster = np.full((128, 128), 255, np.uint8)
    model = dependencies.models.register(
        write_tiny_model(tmp_path / "made", TinyModel({"a": raster, "b": raster}, "tiny"))
    )
    running = Jobs(dependencies)
    job = running.start_training("", TWO.name, "", {"epochs": 2}, "tiny")
    assert (job.request["preset"], job.request["from_model"]) == ("tiny-cnn", model)
    assert job.request["settings"] == {"epochs": 2, "image_size_px": SIDE}
    refusals: list[tuple[tuple[Any, ...], type[Exception], str]] = [
        (("cnn36", TWO.name, "", {}, "tiny"), Precondition, "which is a tiny-cnn"),
        (("", TWO.name, "", {"image_size_px": 32}, "tiny"), InvalidInput, "differs from the 16 px"),
        (("", TWO.name, "", {}, "no such"), NotFound, "no such"),
        (("", TWO.name, "", {}, "few-shot"), Precondition, "has no files"),
        (("resnet50-transformer", TWO.name, "", {"image_size_px": 64}), InvalidInput, "always has 224 px"),
    ]
    for arguments, kind, phrase in refusals:
        with pytest.raises(kind, match=phrase):
            running.start_training(*arguments)


def test_without_torch_the_error_says_what_to_install(tmp_path: Path) -> None:
    with (
        jobs(tmp_path, runner=JobProcessRunner(COMMAND, {JobKind.TRAINING: ("no_such_torch",)})) as running,
        pytest.raises(Precondition, match=r"pip install .*\[train\]") as refused,
    ):
        running.start_training("cnn36", TWO.name)
    assert refused.value.reason == "TORCH_NOT_INSTALLED"


def test_without_tensorboard_the_error_says_what_to_install(tmp_path: Path) -> None:
    runner = JobProcessRunner(COMMAND, {}, tensorboard="no_such_tensorboard")
    with jobs(tmp_path, runner=runner) as running:
        with pytest.raises(Precondition, match=r"pip install .*\[tensorboard\]") as refused:
            running.start_training("cnn36", TWO.name, "", {"tensorboard": True})
        assert refused.value.reason == "TENSORBOARD_NOT_INSTALLED" and running.page() == []
        asked = running.start_training("cnn36", TWO.name, "", {"tensorboard": False, "epochs": 1})
        assert wait_for_end(running, asked).state is JobState.SUCCEEDED
    with jobs(tmp_path, runner=JobProcessRunner(COMMAND, {}, tensorboard="json")) as running:
        asked = running.start_training("cnn36", TWO.name, "", {"tensorboard": True, "epochs": 1})
        assert wait_for_end(running, asked).state is JobState.SUCCEEDED


def test_two_short_jobs_run_beside_each_other_and_a_long_one_alone(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        long, short = {"epochs": 10_000}, {"epochs": 200}
        asked = [
            running.start_training("cnn36", TWO.name, f"m{i}", s) for i, s in enumerate((short, short, long, short))
        ]
        first, second, third, fourth = (job.job_id for job in asked)
        wait_until(lambda: all(running.get(job_id).state is JobState.RUNNING for job_id in (first, second)))
        assert running.get(third).state is JobState.QUEUED and running.get(fourth).state is JobState.QUEUED
        running.cancel(first)
        wait_until(lambda: running.get(first).state.is_over)
        assert running.get(second).state is JobState.RUNNING, "it was not the one that was cancelled"
        running.cancel(second)
        wait_until(lambda: running.get(third).state is JobState.RUNNING)
        assert running.get(fourth).state is JobState.QUEUED, "nothing runs beside a long one"
        running.cancel(third)
        wait_until(lambda: running.get(fourth).state is JobState.RUNNING)


def test_two_jobs_that_ran_beside_each_other_are_resumed_after_a_restart(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = [running.start_training("cnn36", TWO.name, f"m{i}", {"epochs": 200}) for i in range(2)]
        wait_until(lambda: all(len(running.get(job.job_id).epochs) >= 2 for job in asked))
    with jobs(tmp_path) as running:
        wait_until(lambda: all(running.get(job.job_id).state is JobState.RUNNING for job in asked))


def test_long_jobs_run_one_after_another_in_order(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = [running.start_training("resnet18", TWO.name, f"m{i}", {"epochs": 300}) for i in range(3)]
        for job in asked:
            wait_until(lambda job=job: running.get(job.job_id).state is JobState.RUNNING)  # type: ignore[misc]
            running.cancel(job.job_id)
        wait_until(lambda: running.get(asked[2].job_id).state.is_over)
        done = [running.get(job.job_id) for job in asked]
        assert done[0].ended_us < done[1].started_us < done[1].ended_us < done[2].started_us


def test_jobs_are_started_in_order(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = [running.start_training("cnn36", TWO.name, f"m{i}", {"epochs": 2}) for i in range(3)]
        wait_until(lambda: all(running.get(job.job_id).state.is_over for job in asked))
        done = [running.get(job.job_id) for job in asked]
        assert all(job.state is JobState.SUCCEEDED for job in done)
        assert done[0].started_us <= done[1].started_us <= done[2].started_us
        newest_first = [job.job_id for job in reversed(asked)]
        assert [job.job_id for job in running.page()] == newest_first
        assert [job.job_id for job in running.page(newest_first[0], 1)] == newest_first[1:2]


def test_a_cancelled_training_keeps_the_best(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = running.start_training("cnn36", TWO.name, "long", {"epochs": 10_000})
        waiting = running.start_training("cnn36", TWO.name, "never")
        wait_until(lambda: len(running.get(asked.job_id).epochs) >= 2)
        assert running.uses_dataset(TWO.dataset_id)
        assert running.cancel(waiting.job_id).state is JobState.CANCELLED
        assert running.cancel(asked.job_id).state is JobState.RUNNING
        job = wait_for_end(running, asked)
        assert job.state is JobState.CANCELLED and job.model_id and not job.error
        assert running.cancel(asked.job_id) == job
        assert not running.get(waiting.job_id).started_us and not running.uses_dataset(TWO.dataset_id)


def test_a_process_that_ignores_cancel_is_killed(tmp_path: Path) -> None:
    with jobs(tmp_path, patience_s=0.5) as running:
        asked = running.start_training("cnn36", TWO.name, "ignores cancel")
        wait_until(lambda: running.get(asked.job_id).state is JobState.RUNNING)
        running.cancel(asked.job_id)
        job = wait_for_end(running, asked)
        assert job.state is JobState.CANCELLED and not job.model_id and not job.error


@pytest.mark.parametrize(
    ("name", "reason", "phrase"),
    [
        ("is killed", "PROCESS_KILLED", "smaller batch"),
        ("ends", "PROCESS_ENDED", "ValueError: the cat sat on it"),
        ("runs out of memory", "OUT_OF_MEMORY", "choose a smaller batch"),
        ("leaves a child", "PROCESS_ENDED", "exit status 5"),
        ("breaks its model", "MODEL_DAMAGED", "model.onnx"),
    ],
)
def test_a_failure_has_a_reason_and_does_not_affect_other_jobs(
    tmp_path: Path, name: str, reason: str, phrase: str
) -> None:
    with jobs(tmp_path) as running:
        job = wait_for_end(running, running.start_training("cnn36", TWO.name, name))
        assert (job.state, job.error_reason) == (JobState.FAILED, reason) and phrase in job.error
        assert not job.model_id and not list((tmp_path / "models").iterdir())
        assert wait_for_end(running, running.start_training("cnn36", TWO.name, "next")).state is JobState.SUCCEEDED


def test_a_diverged_training_may_leave_a_model_and_stores_only_finite_numbers(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        job = wait_for_end(running, running.start_training("cnn36", TWO.name, "diverges"))
        assert (job.state, job.error_reason) == (JobState.FAILED, "DIVERGED") and "learning rate" in job.error
        assert (tmp_path / "models" / job.model_id / "model.json").exists()
        assert [epoch.epoch for epoch in job.epochs] == [1]
        stored = (tmp_path / "jobs" / job.job_id / "job.json").read_text()
        json.loads(stored, parse_constant=lambda word: pytest.fail(word))


@pytest.mark.parametrize("name", ["prints noise", "floods"])
def test_invalid_reports_are_ignored(tmp_path: Path, name: str) -> None:
    with jobs(tmp_path) as running:
        job = wait_for_end(running, running.start_training("cnn36", TWO.name, name))
        assert job.state is JobState.SUCCEEDED and [epoch.epoch for epoch in job.epochs] == [1, 2, 3]


def test_a_training_that_is_killed_repeatedly_resumes(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = running.start_training("cnn36", TWO.name, "is killed after each epoch", {"epochs": 4})
        seen = list(running.watch(asked.job_id))
        assert seen[-1].state is JobState.SUCCEEDED and [epoch.epoch for epoch in seen[-1].epochs] == [1, 2, 3, 4]
        assert any("was killed" in job.progress.message for job in seen)


def test_a_training_that_is_killed_without_progress_is_restarted_once(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        job = wait_for_end(running, running.start_training("cnn36", TWO.name, "is killed in the second epoch"))
        assert job.error_reason == "PROCESS_KILLED" and len(job.epochs) == 1
        assert (tmp_path / "jobs" / job.job_id / "starts").read_text() == "ii"


def test_a_process_killed_after_a_cancel_is_not_restarted(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = running.start_training("cnn36", TWO.name, "is killed when cancelled")
        wait_until(lambda: running.get(asked.job_id).state is JobState.RUNNING)
        running.cancel(asked.job_id)
        assert wait_for_end(running, asked).state is JobState.CANCELLED


def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    with jobs(tmp_path, runner=JobProcessRunner(("/no/such/program",), {})) as running:
        job = wait_for_end(running, running.start_training("cnn36", TWO.name))
        assert (job.state, job.error_reason) == (JobState.FAILED, "PROCESS_NOT_STARTED")


def test_after_a_stop_a_training_resumes_from_its_checkpoint(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = running.start_training("cnn36", TWO.name, "long", {"epochs": 40})
        wait_until(lambda: len(running.get(asked.job_id).epochs) >= 3)
        watch = running.watch(asked.job_id)
        next(watch)
        threading.Timer(0.1, running.stop).start()
        with pytest.raises(Unavailable):
            list(watch)
        began = time.monotonic()
        running.close()
        assert time.monotonic() - began < 2
        with pytest.raises(Unavailable):
            running.start_training("cnn36", TWO.name)
    stopped = int((tmp_path / "jobs" / asked.job_id / "checkpoint").read_text())
    assert stopped < 40
    with jobs(tmp_path) as again:
        first = again.get(asked.job_id)
        assert first.started_us and not first.state.is_over
        job = wait_for_end(again, asked)
        assert job.state is JobState.SUCCEEDED and [epoch.epoch for epoch in job.epochs] == list(range(1, 41))
        assert job.started_us == first.started_us


@pytest.mark.parametrize("name", ["learns", "is killed in the second epoch"])
def test_checkpoints_are_deleted_when_nothing_can_resume_from_them(tmp_path: Path, name: str) -> None:
    with jobs(tmp_path) as running:
        asked = running.start_training("cnn36", TWO.name, name)
        folder = tmp_path / "jobs" / asked.job_id
        (folder / "checkpoint-000001.safetensors").write_bytes(bytes(1000))
        assert wait_for_end(running, asked).state.is_over
        wait_until(lambda: not list(folder.glob(CHECKPOINTS)))
        assert {path.name for path in folder.iterdir()} >= {"job.json", "request.json", "log.txt"}
    (folder / "checkpoint-000001.safetensors").write_bytes(
        bytes(1000)
    )  # as if the server had wait_for_end before deleting it
    with jobs(tmp_path):
        assert not list(folder.glob(CHECKPOINTS))


def test_a_job_that_is_over_can_be_deleted_and_its_model_stays(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        long = running.start_training("cnn36", TWO.name, "long", {"epochs": 10_000})
        waiting = running.start_training("cnn36", TWO.name, "mine", {"epochs": 1})
        for job in (long, waiting):
            with pytest.raises(Precondition, match=f"job {job.job_id} is not finished; cancel it"):
                running.delete(job.job_id)
        running.cancel(long.job_id)
        done = wait_for_end(running, waiting)
        running.delete(done.job_id)
        for ask in (running.get, running.delete, running.cancel, running.watch):
            with pytest.raises(NotFound):
                ask(done.job_id)
        assert [job.job_id for job in running.page()] == [long.job_id]
        assert not (tmp_path / "jobs" / done.job_id).exists() and (tmp_path / "models" / done.model_id).exists()
        shutil.rmtree(tmp_path / "jobs" / long.job_id)  # by hand
        running.delete(long.job_id)
        assert not list((tmp_path / "tmp").iterdir())
    with jobs(tmp_path) as again:
        assert again.page() == []


def test_a_job_deleted_just_before_its_start_does_not_block_others(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        for _ in range(300):
            asked = running.start_training("cnn36", TWO.name, "x", {"epochs": 1})
            running.cancel(asked.job_id)
            with suppress(Precondition):  # it is running
                running.delete(asked.job_id)
        last = running.start_training("cnn36", TWO.name, "last", {"epochs": 1})
        wait_until(lambda: running.get(last.job_id).state.is_over, 60)


def test_closed_watches_end_and_fast_changes_are_merged(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        asked = running.start_training("cnn36", TWO.name, "long", {"epochs": 10_000})
        watches = [running.watch(asked.job_id) for _ in range(5)]
        seen: list[list[Job]] = [[] for _ in watches]
        threads = [threading.Thread(target=lambda i=i: seen[i].extend(watches[i])) for i in range(5)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        wait_until(lambda: all(len(values) > 5 for values in seen))
        for watch in watches:
            watch.close()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        seconds = time.monotonic() - began
        assert all(len(values) < 2 + 10 * seconds for values in seen), "there are about 20 changes a second"
        running.cancel(asked.job_id)
        wait_for_end(running, asked)


def test_damaged_jobs_are_listed_one_by_one_and_can_be_deleted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with jobs(tmp_path) as running:
        kept = wait_for_end(running, running.start_training("cnn36", TWO.name, "kept", {"epochs": 1}))
    damaged = {"a" * 12: b"no json", "b" * 12: b"[]", "c" * 12: b'{"kind": "training"}'}
    for name, content in damaged.items():
        (tmp_path / "jobs" / name).mkdir()
        (tmp_path / "jobs" / name / "job.json").write_bytes(content)
        os.utime(tmp_path / "jobs" / name, (1, 1))  # as after a copy that gives all of them one time
    (tmp_path / "jobs" / ("d" * 12)).mkdir()
    (tmp_path / "jobs" / "notes").mkdir()
    with jobs(tmp_path) as again:
        listed = [again.page(limit=1)[0]]
        while more := again.page(listed[-1].job_id, 1):
            listed += more
        assert [job.job_id for job in listed] == [kept.job_id, *sorted(damaged, reverse=True)]
        for name in damaged:
            job = again.get(name)
            assert (job.state, job.error_reason) == (JobState.FAILED, "JOB_DAMAGED") and name in job.error
            with pytest.raises(DataLoss, match=name):
                again.cancel(name)
            again.delete(name)
        assert [job.request["name"] for job in again.page()] == ["kept"]
        assert not (tmp_path / "jobs" / ("d" * 12)).exists(), "it was begun and never acknowledged"
        assert not again.uses_dataset(TWO.dataset_id)
    assert all(name in caplog.text for name in (*damaged, "notes"))


def test_a_job_with_another_value_than_was_written_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with jobs(tmp_path) as running:
        job = wait_for_end(running, running.start_training("cnn36", TWO.name, "kept", {"epochs": 1}))
    path = tmp_path / "jobs" / job.job_id / "job.json"
    path.write_text(path.read_text(encoding="utf-8").replace("kept", "kepu"), encoding="utf-8")
    with jobs(tmp_path) as again:
        (found,) = again.page()
        assert "changed since it was written" in found.error and set(found.files) == set(job.files)
        assert again.find_file(job.job_id, "training_history.json").read_text() == "{}"
    assert job.job_id in caplog.text and "changed since it was written" in caplog.text
    path.unlink()
    with jobs(tmp_path) as again:
        (found,) = again.page()
        assert found.is_damaged and found.kind is JobKind.TRAINING


def test_only_listed_files_can_be_found(tmp_path: Path) -> None:
    with jobs(tmp_path) as running:
        job = wait_for_end(running, running.start_training("cnn36", TWO.name, "ends"))
        assert set(job.files) == {"log.txt"} and b"cat" in running.find_file(job.job_id, "log.txt").read_bytes()
        for name in ("job.json", "../job.json", "", "..", "files", "request.json"):
            with pytest.raises(NotFound):
                running.find_file(job.job_id, name)
