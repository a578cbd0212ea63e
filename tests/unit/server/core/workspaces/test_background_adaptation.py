"""Heads adapt in the background: nobody waits for it, nothing else follows from it, and it takes little time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.fewshot import head as head_module
from haleganada_server.core.fewshot.adaptation import Basis, Floats, adapt_basis
from haleganada_server.core.knowledge.prediction import Prediction
from haleganada_server.core.workspaces.background_adaptation import REST, BackgroundAdaptation
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.core.workspaces.workspaces import Workspaces
from numpy.typing import NDArray

from tests.support.waiting import wait_until
from tests.unit.server.core.workspaces.small_world import drawing, lesson, open_workspaces


class Adapting:
    """The computation of a basis, which can be held up. computed: the number of samples, each time."""

    def __init__(self) -> None:
        self.computed: list[int] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.started = threading.Event()

    def compute(self, prior: Floats, counts: NDArray[np.int64], sums: Floats, moment: Floats) -> Basis:
        self.started.set()
        assert self.may_go_on.wait(60)
        self.computed.append(int(counts.sum()))
        return adapt_basis(prior, counts, sums, moment)

    def hold(self) -> None:
        self.may_go_on.clear()
        self.started.clear()


@pytest.fixture
def adapting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Adapting]:
    adapting = Adapting()
    monkeypatch.setattr(head_module, "adapt_basis", adapting.compute)
    yield adapting
    adapting.may_go_on.set()


@pytest.fixture
def workspaces(tmp_path: Path, adapting: Adapting) -> Iterator[Workspaces]:
    opened = open_workspaces(tmp_path)
    yield opened
    adapting.may_go_on.set()
    opened.close()


def is_settled(workspace: Workspace) -> bool:
    return workspace.knowledge.head.is_adapted


def probabilities(prediction: Prediction) -> dict[str, float]:
    return {candidate.label: candidate.probability for candidate in prediction.candidates}


def test_the_head_adapts_before_anybody_asks(workspaces: Workspaces, adapting: Adapting) -> None:
    workspace = workspaces.get()
    workspace.train_batch([lesson(character) for character in range(5)])
    wait_until(lambda: is_settled(workspace))
    assert not workspace.predict(drawing(0, 1)).provisional
    assert adapting.computed == [5]


def test_a_prediction_knows_the_newest_sample_and_does_not_wait(workspaces: Workspaces, adapting: Adapting) -> None:
    workspace = workspaces.get()
    workspace.train_batch([lesson(character) for character in range(5)])
    wait_until(lambda: is_settled(workspace))
    adapting.hold()
    taught = workspace.train(lesson(7))
    answer = workspace.predict(drawing(7, 1))  # would wait for ever
    assert answer.provisional and answer.revision == taught.revision
    assert answer.candidates[0].label == "L7"
    adapting.may_go_on.set()
    wait_until(lambda: is_settled(workspace))
    settled = workspace.predict(drawing(7, 1))
    assert not settled.provisional and settled.revision == taught.revision
    assert probabilities(settled) == pytest.approx(probabilities(answer), abs=0.05)


def test_a_prediction_with_min_revision_waits(workspaces: Workspaces, adapting: Adapting) -> None:
    workspace = workspaces.get()
    workspace.train_batch([lesson(character) for character in range(5)])
    wait_until(lambda: is_settled(workspace))
    adapting.hold()
    revision = workspace.train(lesson(7)).revision
    answers: list[Prediction] = []
    asking = threading.Thread(target=lambda: answers.append(workspace.predict(drawing(7, 1), min_revision=revision)))
    asking.start()
    assert adapting.started.wait(60)
    assert not answers
    adapting.may_go_on.set()
    asking.join()
    assert not answers[0].provisional and answers[0].revision >= revision
    wait_until(lambda: is_settled(workspace))
    assert probabilities(workspace.predict(drawing(7, 1))) == pytest.approx(probabilities(answers[0]), abs=1e-9)


def test_a_workspace_that_was_opened_adapts_once_it_is_asked_again_and_again(tmp_path: Path) -> None:
    workspaces = open_workspaces(tmp_path)
    workspaces.get().train_batch([lesson(character) for character in range(5)])
    before = workspaces.get().predict(drawing(0, 1), min_revision=1)
    workspaces.close()
    reopened = open_workspaces(tmp_path)
    workspace = reopened.get()
    first = workspace.predict(drawing(0, 1))
    assert first.provisional
    wait_until(lambda: not workspace.predict(drawing(0, 1)).provisional)
    assert probabilities(workspace.predict(drawing(0, 1))) == pytest.approx(probabilities(before), abs=1e-9)
    reopened.close()


def test_among_few_labels_the_separation_is_that_of_these_labels(workspaces: Workspaces, adapting: Adapting) -> None:
    """The prior's would be that of a whole script."""
    workspace = workspaces.get()
    adapting.hold()
    workspace.train_batch([lesson(character) for character in range(3)])
    head = workspace.knowledge.head
    assert not head.is_adapted
    separation = head.calibration_context().separation
    adapting.may_go_on.set()
    adapted = workspace.adapt().head.calibration_context().separation
    assert abs(separation - adapted) < 0.2 * abs(head.basis.separation - adapted)


def test_a_basis_that_is_far_off_is_waited_for(workspaces: Workspaces, adapting: Adapting) -> None:
    workspace = workspaces.get()
    workspace.train_batch([lesson(character, hand) for character in range(10) for hand in range(8)])
    assert not workspace.predict(drawing(0, 99)).provisional


def test_changes_go_on_while_a_head_adapts_and_keep_its_basis(workspaces: Workspaces, adapting: Adapting) -> None:
    workspace = workspaces.get()
    workspace.train_batch([lesson(character) for character in range(5)])
    wait_until(lambda: is_settled(workspace))
    before = workspace.knowledge.head.basis
    adapting.hold()
    workspace.train(lesson(5))
    assert adapting.started.wait(60)
    workspace.train(lesson(6))
    assert workspace.knowledge.head.basis is before
    adapting.may_go_on.set()
    wait_until(lambda: is_settled(workspace))
    assert adapting.computed == [5, 6, 7]


def test_concurrent_callers_wait_for_one_computation(workspaces: Workspaces, adapting: Adapting) -> None:
    workspace = workspaces.get()
    adapting.hold()
    workspace.train_batch([lesson(character) for character in range(5)])
    found: list[Basis] = []
    threads = [threading.Thread(target=lambda: found.append(workspace.adapt().head.basis)) for _ in range(8)]
    for thread in threads:
        thread.start()
    adapting.may_go_on.set()
    for thread in threads:
        thread.join()
    assert all(one is found[0] for one in found) and adapting.computed == [5]


def test_a_basis_does_not_survive_a_reset(workspaces: Workspaces, adapting: Adapting) -> None:
    workspace = workspaces.get()
    adapting.hold()
    workspace.train_batch([lesson(character, hand) for character in range(5) for hand in range(8)])
    assert adapting.started.wait(60)
    workspaces.reset("default", "default")
    adapting.may_go_on.set()
    wait_until(lambda: adapting.computed == [40])
    workspace = workspaces.get()
    workspace.train(lesson(1))
    after = workspace.predict(drawing(2, 99))
    workspaces.create("fresh")
    fresh = workspaces.get("fresh")
    fresh.train(lesson(1))
    assert probabilities(after) == pytest.approx(probabilities(fresh.predict(drawing(2, 99))), abs=1e-3)
    assert probabilities(settle(workspace)) == pytest.approx(probabilities(settle(fresh)), abs=1e-9)


def settle(workspace: Workspace) -> Prediction:
    wait_until(lambda: is_settled(workspace))
    return workspace.predict(drawing(2, 99))


def test_predictions_do_not_depend_on_when_the_head_adapted(tmp_path: Path) -> None:
    answers = []

    def ask(workspace: Workspace) -> None:
        workspace.predict(drawing(0, 99))

    for name, between in (("a", ask), ("b", lambda _workspace: None), ("c", Workspace.adapt)):
        workspaces = open_workspaces(tmp_path / name)
        workspace = workspaces.get()
        for hand in range(4):
            for character in range(6):
                workspace.train(lesson(character, hand))
                between(workspace)
        revision = workspace.knowledge.revision
        answers.append(probabilities(workspace.predict(drawing(3, 50), min_revision=revision)))
        workspaces.close()
    assert answers[0] == pytest.approx(answers[1], abs=1e-9) and answers[0] == pytest.approx(answers[2], abs=1e-9)


class Stub:
    """A workspace that counts how often it is adapted."""

    def __init__(self, adapt: Callable[[], None] = lambda: None) -> None:
        self.adapted = 0
        self._adapt = adapt

    def adapt(self) -> None:
        self.adapted += 1
        self._adapt()


@pytest.fixture
def background() -> Iterator[BackgroundAdaptation]:
    background = BackgroundAdaptation()
    background.start()
    yield background
    background.close()


def test_a_stream_of_changes_is_adapted_to_now_and_then(background: BackgroundAdaptation) -> None:
    workspace = Stub()

    def teach() -> bool:
        background.schedule(workspace)
        return workspace.adapted >= 2

    wait_until(teach)  # asks every 10 ms, so that there is no pause


def test_adapting_leaves_most_of_a_core_to_others(background: BackgroundAdaptation) -> None:
    workspace, start = Stub(lambda: time.sleep(0.02)), time.monotonic()
    while time.monotonic() - start < 0.7:
        background.schedule(workspace)
        time.sleep(0.04)  # longer than a pause: each of these would be due
    elapsed = time.monotonic() - start
    assert 1 <= workspace.adapted <= 1 + elapsed / (0.02 * (1 + REST))


def test_a_failure_does_not_stop_the_others(background: BackgroundAdaptation, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("no basis")

    bad, good = Stub(fail), Stub()
    background.schedule(bad)
    wait_until(lambda: bad.adapted)
    background.schedule(good)
    wait_until(lambda: good.adapted)
    assert "adapting a workspace failed" in caplog.text


def test_a_closed_workspace_is_forgotten() -> None:
    background, closed, other = BackgroundAdaptation(), Stub(), Stub()
    background.schedule(closed)
    background.schedule(other)
    background.discard(closed)
    background.start()
    wait_until(lambda: other.adapted)
    background.close()
    assert closed.adapted == 0
