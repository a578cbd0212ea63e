"""The process that learns along, over its pipes: taught, asked, killed, left, and out of luck."""

from __future__ import annotations

import resource
import signal
import socket
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
from haleganada_server.training.online.start import start_preset

from tests.unit.server.training.online.following_process import CONFIG, FollowingProcess
from tests.unit.server.training.online.toy_script import drawing, lessons, taught

CNN36 = {"preset": "cnn36"}
QUESTIONS = np.stack([drawing(letter, 70) for letter in "ಅಕಗ"])
SCRIPT = lessons("ಅಕಗ", shots=2)
Begin = Callable[..., FollowingProcess]
Answers = Callable[[Sequence[TaughtDrawing]], np.ndarray]


@pytest.fixture(scope="module")
def begin() -> Iterator[Begin]:
    """Starts processes; those that are left at the end are killed."""
    started: list[FollowingProcess] = []

    def begun(*arguments: Any, **options: Any) -> FollowingProcess:
        started.append(FollowingProcess(*arguments, **options))
        return started[-1]

    yield begun
    for run in started:
        run.kill()


@pytest.fixture(scope="module")
def run(begin: Begin, tmp_path_factory: pytest.TempPathFactory) -> FollowingProcess:
    """One process for all tests that leave it running."""
    return begin(tmp_path_factory.mktemp("run"), CNN36)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What a learner within this process answers that has learned some samples and nothing else."""

    def answers(samples: Sequence[TaughtDrawing]) -> np.ndarray:
        start, folder = start_preset("cnn36", seed=CONFIG["seed"]), tmp_path_factory.mktemp("uninterrupted")
        rows: np.ndarray = taught(start, OnlineConfig(**CONFIG), folder, samples).published.probabilities(QUESTIONS)
        return rows

    return answers


def test_before_it_has_learned_anything_it_says_so(run: FollowingProcess) -> None:
    assert run.until(bool) == {"ready": True, "labels": []}
    facts, rows = run.ask(QUESTIONS)
    assert (facts["revision"], facts["labels"], rows.size) == (0, [], 0)


def test_it_learns_what_it_is_taught_and_answers(run: FollowingProcess, uninterrupted: Answers) -> None:
    run.teach(SCRIPT, 6)
    assert run.learned(6) == {
        "aim": 6, "learned": 6, "left": 0, "published": 6, "labels": 3, "rebuilding": False
    }  # fmt: skip
    assert [(facts["learned"], facts["published"]) for facts in run.progress[:-1]] == [(n, None) for n in range(6)]
    facts, rows = run.ask(QUESTIONS)
    assert (facts["revision"], facts["labels"]) == (6, ["ಅ", "ಕ", "ಗ"])
    assert rows.sum(1) == pytest.approx(1)
    assert np.array_equal(rows, uninterrupted(SCRIPT))


def test_forgotten_means_never_taught(run: FollowingProcess, uninterrupted: Answers) -> None:
    run.teach(SCRIPT, 16)
    run.learned(16)
    run.tell(SCRIPT[2:4], keep=1)  # without the second, in two pieces
    run.tell(SCRIPT[4:], keep=3)
    run.say({"aim": 17})
    assert run.learned(17)["learned"] == 5
    on_the_way = run.progress[-6:-1]
    assert all(facts["rebuilding"] and facts["published"] == 16 for facts in on_the_way)
    assert np.array_equal(run.ask(QUESTIONS)[1], uninterrupted([SCRIPT[0], *SCRIPT[2:]]))


def test_a_list_without_an_aim_is_not_learned(run: FollowingProcess) -> None:
    run.teach(SCRIPT[:1], 20)
    run.learned(20)
    run.tell(SCRIPT[1:], keep=1)
    assert run.ask(QUESTIONS)[0]["revision"] == 20
    run.say({"aim": 21})
    run.learned(21)


def test_ctrl_c_is_not_for_it(run: FollowingProcess) -> None:
    run.process.send_signal(signal.SIGINT)
    run.teach(SCRIPT[:2], 30)
    assert run.learned(30)["labels"] == 1


def test_killed_it_goes_on_from_its_checkpoint(begin: Begin, tmp_path: Path, uninterrupted: Answers) -> None:
    start = start_preset("cnn36", seed=CONFIG["seed"])
    taught(start, OnlineConfig(**CONFIG), tmp_path, SCRIPT[:4], checkpoints=True).save()
    first = begin(tmp_path, CNN36)
    first.teach(SCRIPT, 6)
    first.until(lambda facts: facts.get("learned") == 5)
    first.kill()
    assert [facts["learned"] for facts in first.progress[:2]] == [4, 5]

    second = begin(tmp_path, CNN36)
    second.teach(SCRIPT, 6)
    second.learned(6)
    assert second.progress[0]["learned"] == 4
    assert np.array_equal(second.ask(QUESTIONS)[1], uninterrupted(SCRIPT))
    second.say({"leave": True})
    assert second.end() == (0, "")
    assert [path.name[:17] for path in sorted(tmp_path.glob("learned-*"))] == ["learned-000000004", "learned-000000006"]


def test_it_answers_while_it_learns_and_ends_with_the_server(begin: Begin, tmp_path: Path) -> None:
    run = begin(tmp_path, CNN36, {**CONFIG, "steps": 100})
    run.teach([], 0)
    run.learned(0)
    run.teach(SCRIPT, 6)
    run.until(lambda facts: facts.get("published") == 1)
    revisions = [run.ask(QUESTIONS)[0]["revision"] for _ in range(20)]
    assert revisions[0] >= 1 and revisions[-1] < 6, "it has not learned twenty drawings meanwhile"
    assert run.process.stdin
    run.process.stdin.close()
    closed = time.monotonic()
    assert run.end()[0] == ABANDONED
    assert time.monotonic() - closed < 5


def test_a_trained_model_answers_before_anything_is_taught(begin: Begin, tmp_path: Path) -> None:
    (starter,) = SHIPPED_MODELS
    run = begin(tmp_path, {"model": str(starter)})
    labels = run.until(bool)["labels"]
    assert labels == list("0123456789abcdefghijklmnopqrstuvwxyz")
    run.teach([], 0)
    assert run.learned(0)["labels"] == 36
    run.teach(SCRIPT[:1], 1)
    run.learned(1)
    facts, rows = run.ask(np.concatenate([QUESTIONS] * 20))
    assert facts["labels"] == [*labels, "ಅ"] and rows.shape == (60, 37)
    assert rows.sum(1) == pytest.approx(1)


def test_without_backbone_weights_it_says_where_to_get_them(begin: Begin, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        nowhere = {"TORCH_HOME": str(tmp_path), "https_proxy": nobody, "no_proxy": "", "NO_PROXY": ""}
        run = begin(tmp_path, {"preset": "resnet50-transformer"}, env=nowhere)
        failure = run.until(bool)["failed"]
    assert failure["reason"] == "BACKBONE_WEIGHTS_MISSING"
    assert "download.pytorch.org" in failure["message"] and "--backbone-weights FILE" in failure["message"]
    assert run.end()[0] == 0


def test_a_full_disk_ends_it_with_a_word(begin: Begin, tmp_path: Path) -> None:
    """A limit on the size of files, which the second drawing's features exceed."""
    run = begin(tmp_path, CNN36, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)))
    run.teach(SCRIPT, 6)
    failure = run.until(lambda facts: "failed" in facts)["failed"]
    assert failure["reason"] == "DISK_FULL" and "free some space, and learning goes on by itself" in failure["message"]
    assert run.end()[0] == 0


def test_what_makes_no_sense_ends_it(begin: Begin, tmp_path: Path) -> None:
    run = begin(tmp_path, CNN36)
    run.tell(SCRIPT, keep=3)
    assert run.until(lambda facts: "failed" in facts)["failed"]["reason"] == "INTERNAL"
    status, errors = run.end()
    assert status == 0 and "3 of 0 samples cannot be kept" in errors
