"""`client.jobs` against real servers whose jobs learn nothing."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient, Interval, Job, JobState, TrainingSettings
from haleganada_client.errors import InvalidInput, NotFound, Unavailable
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.conftest import RunningServer, StartServer
from tests.support.jobs.datasets import add_letters
from tests.support.jobs.world import COMMAND
from tests.support.waiting import wait_until


@pytest.fixture
def server(start_server: StartServer, tmp_path: Path) -> RunningServer:
    running = start_server(JobProcessRunner(COMMAND, {}, tensorboard="json"), max_watchers=1)
    add_letters(running.app.datasets, tmp_path)
    return running


@pytest.fixture
def client(server: RunningServer) -> Iterator[HaleganadaClient]:
    with HaleganadaClient(server.address) as connected:
        yield connected


def test_train_watch_list_and_fetch(client: HaleganadaClient, tmp_path: Path) -> None:
    settings = TrainingSettings(epochs=2, optimizer="adam", schedule="plateau", weight_decay=0.0, tensorboard=True)
    asked = client.jobs.start_training("tiny-cnn", "letters", name="mine", settings=settings)
    assert asked.kind == "training" and asked.state is JobState.QUEUED and asked.start_time is None
    assert asked.training is not None and asked.training.requested_settings == settings
    assert asked.training.settings is None and asked.evaluation is None
    last = list(client.jobs.watch(asked.job_id))[-1]
    assert last.state is JobState.SUCCEEDED and last.training is not None and last.end_time is not None
    assert last.training.settings == TrainingSettings(epochs=2, batch_size=8, learning_rate=1e-3, augment=True)
    epochs = last.training.epochs
    assert [epoch.epoch for epoch in epochs] == [1, 2] and epochs[0].validation_accuracy == 0.5
    assert client.jobs.get(asked.job_id) == last and client.jobs.list(1)[0].job_id == asked.job_id
    assert client.models.get("mine").model_id == last.training.model_id
    assert client.jobs.file(asked.job_id, "training_history.json", tmp_path / "history.json") == 2
    into = io.BytesIO()
    assert client.jobs.file(asked.job_id, "training_history.json", into) == 2 and into.getvalue() == b"{}"
    with pytest.raises(NotFound):
        client.jobs.file(asked.job_id, "nothing", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_an_evaluation(client: HaleganadaClient) -> None:
    asked = client.jobs.start_evaluation(["few-shot"], "letters", quick=True)
    last = list(client.jobs.watch(asked.job_id))[-1]
    assert last.kind == "evaluation" and last.evaluation is not None and last.evaluation.result is not None
    (model,) = last.evaluation.result.models
    assert model.accuracy == 0.75 and model.accuracy_interval == Interval(0.5, 0.9)
    assert model.worst_classes[0].mistaken_for == "a" and model.confusions[0].first_as_second == 1


def test_settings_are_validated_before_they_are_sent(client: HaleganadaClient) -> None:
    with pytest.raises(InvalidInput) as refused:
        client.jobs.start_training("cnn36", "letters", settings=TrainingSettings(optimizer="sgd"))
    assert refused.value.field == "settings.optimizer"


def test_watchers_beyond_the_limit_poll(client: HaleganadaClient) -> None:
    asked = client.jobs.start_training("cnn36", "letters", settings=TrainingSettings(epochs=60))
    first, second = client.jobs.watch(asked.job_id), client.jobs.watch(asked.job_id)
    next(first)
    assert next(second).job_id == asked.job_id
    ended = [list(watch)[-1].state for watch in (second, first)]
    assert ended == [JobState.SUCCEEDED, JobState.SUCCEEDED]


def test_a_closed_watch_frees_its_place(client: HaleganadaClient, server: RunningServer) -> None:
    asked = client.jobs.start_training("cnn36", "letters", name="ignores cancel")
    for _ in range(3):
        watch = client.jobs.watch(asked.job_id)
        next(watch)
        watch.close()
    client.jobs.cancel(asked.job_id)


def test_a_watch_continues_after_a_restart(start_server: StartServer, tmp_path: Path) -> None:
    first = start_server(JobProcessRunner(COMMAND, {}))
    add_letters(first.app.datasets, tmp_path)
    with HaleganadaClient(first.address) as client:
        asked = client.jobs.start_training("cnn36", "letters", settings=TrainingSettings(epochs=40))
        seen: list[Job] = []
        watcher = threading.Thread(target=lambda: seen.extend(client.jobs.watch(asked.job_id)))
        watcher.start()
        wait_until(lambda: seen and seen[-1].training and seen[-1].training.epochs)
        first.stop()
        start_server(JobProcessRunner(COMMAND, {}), port=int(first.address.rpartition(":")[2]))
        watcher.join(30)
        assert not watcher.is_alive()
    assert seen[-1].state is JobState.SUCCEEDED, seen[-1].error
    assert seen[-1].training is not None and [e.epoch for e in seen[-1].training.epochs] == list(range(1, 41))


def test_a_watch_without_a_server_ends_at_once() -> None:
    with HaleganadaClient("127.0.0.1:9") as client, pytest.raises(Unavailable):
        next(client.jobs.watch("x"))
