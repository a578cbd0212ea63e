"""Jobs of a server process: killed, stopped and started again with it; on the command line. They learn nothing."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from haleganada_client import Job, JobState, TrainingJob, TrainingSettings

from tests.e2e.cli.command_line import AS_AT_A_TERMINAL, haleganada
from tests.e2e.processes import ServerProcess, start_preloaded
from tests.support.jobs import serve
from tests.support.jobs.datasets import crosses_and_bars
from tests.support.waiting import wait_until

LONG = TrainingSettings(epochs=60)


@contextmanager
def server(data: Path, port: int = 0) -> Iterator[ServerProcess]:
    running = start_preloaded([serve.__file__, str(port), str(data)])
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test that uses the shared server, its jobs are ended."""
    yield
    if "running" in request.fixturenames:
        with request.getfixturevalue("running").client() as client:
            for job in client.jobs.list():
                client.jobs.cancel(job.job_id)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with a data set called “letters”."""
    root = tmp_path_factory.mktemp("jobs")
    with server(root / "data") as process, process.client() as client:
        client.datasets.upload(crosses_and_bars(root))
        yield process


def data_of(running: ServerProcess) -> Path:
    """Its data directory."""
    line = running.process.args
    assert isinstance(line, list)
    return Path(line[-1])


def processes_of(data: Path) -> list[int]:
    """Processes that carry out jobs below a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(part.startswith(str(data / "jobs").encode()) for part in line):
            found.append(int(entry.parent.name))
    return found


def test_a_job_that_was_cancelled_is_ending_and_one_shows_the_settings_that_it_used(tmp_path: Path) -> None:
    with server(tmp_path / "data") as process, process.client() as client:
        client.datasets.upload(crosses_and_bars(tmp_path))
        done = client.jobs.start_training("cnn36", "letters", settings=TrainingSettings(epochs=1))
        used = training(list(client.jobs.watch(done.job_id))[-1]).settings
        assert used is not None and used.batch_size == 8
        stubborn = client.jobs.start_training("cnn36", "letters", name="ignores cancel")
        wait_until(lambda: client.jobs.get(stubborn.job_id).state is JobState.RUNNING)
        assert client.jobs.cancel(stubborn.job_id).cancelling

        def told(*words: str) -> str:
            return haleganada("--server", process.address, "jobs", *words).stdout

        (line,) = (line for line in told("ls").splitlines() if line.startswith(stubborn.job_id))
        assert "  ending  " in line and "running" not in line
        assert re.search(r"^state +ending$", told("show", stubborn.job_id), re.MULTILINE)
        shown = told("show", done.job_id)
        assert re.search(r"^settings +epochs: 1$", shown, re.MULTILINE)
        assert re.search(r"^settings used +epochs: 1, batch_size: 8, learning_rate: 0.001, augment: True$", shown, re.M)
        assert json.loads(told("show", done.job_id, "--json"))["training"]["settings"]["batch_size"] == 8


@pytest.mark.parametrize("end", [ServerProcess.kill, ServerProcess.stop])
def test_a_server_that_ends_takes_its_jobs_along_and_goes_on_with_them(
    tmp_path: Path, end: Callable[[ServerProcess], object]
) -> None:
    data = tmp_path / "data"
    with server(data) as first, first.client() as client:
        client.datasets.upload(crosses_and_bars(tmp_path))
        asked = [client.jobs.start_training("cnn36", "letters", settings=LONG).job_id for _ in range(2)]
        wait_until(lambda: all(len(training(client.jobs.get(job_id)).epochs) > 3 for job_id in asked))
        assert len(processes_of(data)) == 2, "they are short enough to run beside each other"
        end(first)
        wait_until(lambda: not processes_of(data), 5)
    with server(data) as again, again.client() as client:
        for job_id in asked:
            last = list(client.jobs.watch(job_id))[-1]
            assert last.state is JobState.SUCCEEDED, last.error
            assert [epoch.epoch for epoch in training(last).epochs] == list(range(1, 61))


def training(job: Job) -> TrainingJob:
    """The training that a job is."""
    assert job.training is not None
    return job.training


def settings_of(job: dict[str, Any]) -> dict[str, Any]:
    """The settings that a job's JSON says were asked for."""
    return {name: value for name, value in job["training"]["requested_settings"].items() if value is not None}


def kill_process_of(data: Path) -> int:
    """SIGKILL for the process of the present job, once there is one; its number."""
    wait_until(lambda: bool(processes_of(data)))
    (process,) = processes_of(data)
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: process not in processes_of(data))
    return process


@pytest.mark.slow
def test_a_training_whose_process_is_killed_goes_on(running: ServerProcess) -> None:
    with running.client() as client:
        asked = client.jobs.start_training("cnn36", "letters", settings=LONG)
        killed_at = 0
        for _ in range(3):  # each time some epochs further
            wait_until(lambda least=killed_at + 3: len(training(client.jobs.get(asked.job_id)).epochs) > least)  # type: ignore[misc]
            killed_at = len(training(client.jobs.get(asked.job_id)).epochs)
            kill_process_of(data_of(running))
        last = list(client.jobs.watch(asked.job_id))[-1]
        assert last.state is JobState.SUCCEEDED and training(last).model_id, last.error
        assert [epoch.epoch for epoch in training(last).epochs] == list(range(1, 61))


@pytest.mark.slow
def test_a_job_that_is_killed_each_time_says_so(running: ServerProcess) -> None:
    with running.client() as client:
        asked = client.jobs.start_training("cnn36", "letters", name="ignores cancel")
        wait_until(lambda: client.jobs.get(asked.job_id).state is JobState.RUNNING)
        first = kill_process_of(data_of(running))
        wait_until(lambda: "resumes" in client.jobs.get(asked.job_id).progress.message)
        assert kill_process_of(data_of(running)) != first
        last = list(client.jobs.watch(asked.job_id))[-1]
        assert last.error_reason == "PROCESS_KILLED" and "smaller batch" in last.error
        assert client.health() == "SERVING"


def test_a_job_has_a_low_priority(running: ServerProcess) -> None:
    with running.client() as client:
        asked = client.jobs.start_training("cnn36", "letters", name="ignores cancel")
        data = data_of(running)
        (process,) = wait_until(lambda: processes_of(data))
        wait_until(lambda: os.getpriority(os.PRIO_PROCESS, process) >= 10)
        kill_process_of(data)
        kill_process_of(data)
        list(client.jobs.watch(asked.job_id))


def test_fit_evaluate_and_jobs_on_the_command_line(running: ServerProcess, tmp_path: Path) -> None:
    def run(*arguments: str | Path, code: int = 0) -> str:
        done = haleganada("--server", running.address, *arguments)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout or done.stderr

    told = run("fit", "tiny-cnn", "--data", "letters", "--name", "mine", "--epochs", "2", "--optimizer", "adam")
    assert "trained mine: model " in told and "75.0 %" in told and "predict --model" in told
    newest = json.loads(run("jobs", "ls", "--limit", "1", "--json"))[0]
    assert newest["state"] == "succeeded" and settings_of(newest) == {"epochs": 2, "optimizer": "adam"}
    shown = run("jobs", "show", newest["job_id"])
    assert "epochs: 2, optimizer: adam" in shown and "validation loss" in shown
    assert "training_history.json" in run("jobs", "files", newest["job_id"])
    assert "wrote" in run("jobs", "files", newest["job_id"], "--to", tmp_path / "files")
    history = tmp_path / "files" / "training_history.json"
    assert history.read_text() == "{}"
    history.write_text("precious")
    again = ("jobs", "files", newest["job_id"], "--to", tmp_path / "files")
    assert "--overwrite replaces it" in run(*again, code=2) and history.read_text() == "precious"
    run(*again, "--overwrite")
    assert history.read_text() == "{}"

    more = json.loads(run("fit", "--more", newest["job_id"], "--epochs", "1", "--json"))
    assert more["training"]["model_name"] == "mine" and more["training"]["model_id"] != newest["training"]["model_id"]
    assert settings_of(more) == {"epochs": 1, "frozen_epochs": 0, "optimizer": "adam", "image_size_px": 32}
    assert "no setting but --epochs N" in run("fit", "--more", newest["job_id"], code=2)
    assert "name a PRESET" in run("fit", "--data", "letters", code=2)
    other = ("fit", "--from", more["training"]["model_id"], "--data", "letters", "--name", "other", "--rotation", "5")
    asked = json.loads(run(*other, "--class-weights", "balanced", "--json"))
    assert asked["training"]["preset"] == "tiny-cnn"
    assert settings_of(asked) == {"rotation_degrees": 5, "class_weights": "balanced", "image_size_px": 32}
    run("models", "delete", more["training"]["model_id"], "--confirm", "mine")

    report = run("evaluate", "mine", "few-shot", "--data", "letters", "--out", tmp_path / "report")
    assert "letters, test part" in report and "50.0 % to 90.0 %" in report and "wrote" in report
    assert "few-shot, worst labels:" in report and "mistaken for a (1x)" in report
    assert "most confused:\n  ಅ mistaken for a (3x), a mistaken for ಅ (1x)" in report and "72.0 %" in report
    assert (tmp_path / "report" / "confusion_matrix.png").stat().st_size == 200_000
    assert json.loads(run("evaluate", "mine", "--data", "letters", "--quick", "--json"))["evaluation"]["quick"] is True

    asked = json.loads(run("fit", "cnn36", "--data", "letters", "--epochs", "10000", "--detach", "--json"))
    queued = run("evaluate", "mine", "--data", "letters", "--detach")
    assert "is queued and will start by itself; `" in queued and queued.endswith(" ends it\n")
    assert "is finishing up" in run("jobs", "cancel", asked["job_id"])
    assert "cancelled; model" in run("jobs", "watch", asked["job_id"], code=1)
    assert "smaller batch" in run("fit", "cnn36", "--data", "letters", "--name", "runs out of memory", code=1)
    assert "letters" not in run("fit", "cnn36", "--data", "no such", code=4)
    assert "cnn36" in run("fit", "cnn37", "--data", "letters", code=1)
    assert "epochs" in run("fit", "cnn36", "--data", "letters", "--epochs", "0", code=2)
    sheet = tmp_path / "sheet.png"
    told = run("fit", "cnn36", "--data", "letters", "--preview", sheet, "--no-augment", code=2)
    assert "in the first column" in told and not sheet.exists()
    for command in (("fit", "cnn36", "--data", "letters", "--preview"), ("datasets", "preview", "letters", "cnn36")):
        told = run(*command, tmp_path / "sheet.jpg", code=2)
        assert f"the file will be a PNG; call it {sheet}" in told and not (tmp_path / "sheet.jpg").exists()
        assert f"the file will be a PNG; call it {sheet}" in run(*command, tmp_path / "sheet", code=2)
    assert "there is no job" in run("jobs", "show", "x", code=4)
    told = run("jobs", "delete", asked["job_id"], "x", code=4)
    assert f"deleted job {asked['job_id']}\n" in told, "the second one's refusal, told as an error, does not hide it"
    assert "there is no job" in run("jobs", "delete", asked["job_id"], code=4)


def test_without_a_terminal_each_epoch_is_a_line(running: ServerProcess) -> None:
    """As in a log, where a bar would be one line that never ends."""
    done = haleganada("--server", running.address, "fit", "tiny-cnn", "--data", "letters", "--epochs", "3", "--json")
    lines = done.stderr.splitlines()
    assert [line.split(" ·")[0] for line in lines if line.startswith("epoch")] == ["epoch 1", "epoch 2", "epoch 3"]
    assert "training" in lines and re.fullmatch(r"epoch 3 · loss \d\.\d+ · .* right · rate 0\.001 · .*s", lines[-1])
    job_id = json.loads(done.stdout)["job_id"]
    watched = haleganada("--server", running.address, "jobs", "watch", job_id)
    assert [line for line in watched.stderr.splitlines() if line.startswith("epoch")] == lines[-3:]


def test_the_settings_of_a_job_can_be_kept_and_used_again(running: ServerProcess, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> Any:
        done = haleganada("--server", running.address, *arguments, "--json")
        assert done.returncode == 0, (done.stdout, done.stderr)
        return json.loads(done.stdout)

    fit = ("fit", "cnn36", "--data", "letters", "--detach")
    flags = ("--epochs", "3", "--learning-rate", "0.25", "--optimizer", "adam", "--no-augment", "--patience", "0")
    asked = settings_of(run("jobs", "show", run(*fit, *flags)["job_id"]))
    assert asked == {"epochs": 3, "learning_rate": 0.25, "optimizer": "adam", "augment": False, "patience": 0}
    (tmp_path / "kept.json").write_text(json.dumps(asked | {"seed": None}))
    again = (*fit, "--config", tmp_path / "kept.json")
    assert settings_of(run(*again)) == asked
    over = run("fit", "cnn36", "--epochs", "2", "--augment", "--data", "letters", "--detach", *again[-2:])
    assert settings_of(over) == asked | {"epochs": 2, "augment": True}, "flags win, wherever they stand"


def test_models_of_one_name_are_told_apart_and_agreement_is_said(running: ServerProcess, tmp_path: Path) -> None:
    def run(*arguments: str | Path) -> str:
        done = haleganada("--server", running.address, *arguments)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    fit = ("fit", "tiny-cnn", "--data", "letters", "--name", "twin", "--epochs", "1", "--json")
    ids = [json.loads(run(*fit))["training"]["model_id"] for _ in range(2)]
    report = run("evaluate", *ids, "--data", "letters", "--out", tmp_path / "report")
    for model_id in ids:
        assert re.search(rf"\ntwin \({model_id}\) +75\.0 %", report) and f"twin ({model_id}), worst labels:" in report
        assert f"wrote {tmp_path / 'report' / model_id}_confusion_matrix.html, for twin ({model_id})\n" in report
    assert "the models agree on every drawing; they are right on 75.0 %" in report


def test_the_same_data_sent_twice_is_said_and_either_will_do(running: ServerProcess, tmp_path: Path) -> None:
    def run(*arguments: str | Path, code: int = 0) -> tuple[str, str]:
        done = haleganada("--server", running.address, *arguments)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    path = crosses_and_bars(tmp_path)
    run("datasets", "add", path, "--name", "twice")
    printed, told = run("datasets", "add", path, "--name", "twice", "--json")
    newest = json.loads(printed)["dataset_id"]
    assert (
        told.startswith("twice (")
        and "has the same content; `haleganada" in told
        and f"datasets delete {newest}` deletes the new" in told
    )
    asked = json.loads(run("evaluate", "few-shot", "--data", "twice", "--json")[0])
    assert asked["evaluation"]["dataset_id"] == newest
    run("datasets", "add", path, "--name", "twice", "--seed", "7")
    assert "is the name of several data sets" in run("evaluate", "few-shot", "--data", "twice", code=1)[1]


@pytest.mark.parametrize(("answer", "state"), [(b"n\n", JobState.RUNNING), (b"y\n", JobState.CANCELLED)])
def test_ctrl_c_leaves_a_job_or_cancels_it(running: ServerProcess, answer: bytes, state: JobState) -> None:
    master, slave = pty.openpty()
    line = [sys.executable, "-c", AS_AT_A_TERMINAL, "--server", running.address]
    line += ["fit", "cnn36", "--data", "letters", "--epochs", "600"]
    process = subprocess.Popen(line, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    seen = _read_until(master, b"rate 0.001")
    assert re.search(rb"training.*/600 .*epoch \d+ .*loss \d\.\d+ .* right .* rate 0\.001", seen)
    process.send_signal(signal.SIGINT)
    _read_until(master, b"Cancel the job?")
    os.write(master, answer)
    seen = _read_until(master, b"continues on" if state is JobState.RUNNING else b"was kept")
    assert process.wait(15) == (130 if state is JobState.RUNNING else 1)
    os.close(master)
    with running.client() as client:
        assert client.jobs.list(1)[0].state is state


def _read_until(terminal: int, words: bytes, timeout_s: float = 20) -> bytes:
    """What a terminal shows until it shows these words."""
    seen, deadline = b"", time.monotonic() + timeout_s
    while words not in seen:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, seen
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            raise AssertionError(f"the command has ended; it said {seen!r}") from None
    return seen
