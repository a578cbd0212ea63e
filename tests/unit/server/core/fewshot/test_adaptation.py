"""A head adapts to how handwriting varies in its script, and keeps its prior as long as there are few samples."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.fewshot import head as head_module
from haleganada_server.core.fewshot.adaptation import PRIOR_SAMPLES, Basis, adapt_basis
from haleganada_server.core.fewshot.head import Head
from numpy.typing import NDArray

from tests.unit.server.core.workspaces.small_world import drawing, lesson, open_workspaces
from tests.waiting import wait_until

DIM = 6
PRIOR = np.full(DIM, 2.0)
Floats = NDArray[np.float64]


class Script:
    """Characters whose means and handwriting vary otherwise than the prior assumes."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        turn = np.linalg.qr(self.rng.normal(size=(DIM, DIM)))[0]
        self.within = turn @ np.diag([0.1, 0.1, 0.5, 1.0, 4.0, 9.0]) @ turn.T
        self.means = self.rng.normal(size=(300, DIM)) * 1.5

    def drawings(self, each: int) -> Floats:
        """Return projected drawings, (labels, each, k)."""
        return self.means[:, None] + self.rng.multivariate_normal(np.zeros(DIM), self.within, (len(self.means), each))


def taught(drawings: Floats) -> Head:
    labels = [str(label) for label in range(len(drawings)) for _ in range(drawings.shape[1])]
    return Head.fit(PRIOR, labels, drawings.reshape(-1, DIM))


def accuracy(head: Head, drawings: Floats) -> float:
    right = [head.scores(one)[:-1].argmax() == label for label, all_ in enumerate(drawings) for one in all_]
    return float(np.mean(right))


def test_many_samples_show_how_handwriting_varies() -> None:
    script = Script()
    drawings = script.drawings(20)
    flat = drawings.reshape(-1, DIM)
    basis = adapt_basis(PRIOR, np.full(300, 20), drawings.sum(1), flat.T @ flat)
    degrees = 300 * 19
    expected = (degrees * script.within + PRIOR_SAMPLES * np.eye(DIM)) / (degrees + PRIOR_SAMPLES)
    assert basis.matrix.T @ expected @ basis.matrix == pytest.approx(np.eye(DIM), abs=0.1)


@pytest.mark.parametrize("labels", [2, 4, 30, 300])
def test_the_separation_is_the_distance_to_the_five_nearest_labels(labels: int) -> None:
    drawings = Script().drawings(3)[:labels]
    flat, sums, counts = drawings.reshape(-1, DIM), drawings.sum(1), np.full(labels, 3)
    basis = adapt_basis(PRIOR, counts, sums, flat.T @ flat)
    means = drawings.mean(1) @ basis.matrix * (3 * basis.between / (1 + 3 * basis.between))
    nearest = [sorted(((means - mean) ** 2).sum(1))[1:6] for mean in means]
    assert basis.separation == pytest.approx(
        np.mean(nearest), rel=0.1 if labels > 256 else 1e-6
    )  # of many, some are asked
    order = np.random.default_rng(1).permutation(labels)
    assert adapt_basis(PRIOR, counts, sums[order], flat.T @ flat).separation == pytest.approx(
        basis.separation, rel=1e-9
    )


def test_one_drawing_taught_as_every_label_leaves_hardly_any_separation() -> None:
    sums = np.repeat(Script().drawings(1)[:1, 0], 5, axis=0)
    separation = adapt_basis(PRIOR, np.ones(5, np.int64), sums, sums.T @ sums).separation
    assert 0 < separation < 1e-3


def test_an_adapted_head_recognizes_more() -> None:
    script = Script()
    head = taught(script.drawings(5))
    asked = script.drawings(3)
    assert accuracy(head.adapt(), asked) > accuracy(head, asked) + 0.1


def test_a_young_workspace_keeps_the_prior() -> None:
    script = Script()
    drawings = script.drawings(1)[:3]
    head, query = taught(drawings), drawings[0, 0] + 0.1
    assert head.adapt().scores(query) == pytest.approx(head.scores(query), rel=0.02)


def test_the_prior_is_what_a_basis_starts_from() -> None:
    basis = Basis.prior(PRIOR)
    assert (basis.matrix == np.eye(DIM)).all()
    assert (basis.between == PRIOR).all()


def test_concurrent_callers_get_the_same_head() -> None:
    head = taught(Script().drawings(2))
    found: list[Head] = []
    threads = [threading.Thread(target=lambda: found.append(head.adapt())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one is found[0] for one in found)
    assert found[0].adapt() is found[0]


def test_the_head_is_adapted_before_the_next_prediction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []

    def counted(prior: Floats, counts: NDArray[np.int64], sums: Floats, moment: Floats) -> Basis:
        computed.append(int(counts.sum()))
        return adapt_basis(prior, counts, sums, moment)

    monkeypatch.setattr(head_module, "adapt_basis", counted)
    workspaces = open_workspaces(tmp_path)
    workspace = workspaces.get()
    workspace.train_batch([lesson(character) for character in range(5)])
    wait_until(lambda: computed)
    workspace.predict(drawing(0, 1))
    workspaces.close()
    assert computed == [5]


def test_predictions_do_not_depend_on_when_the_head_was_adapted(tmp_path: Path) -> None:
    answers = []
    for name, ask_between in (("a", True), ("b", False)):
        workspaces = open_workspaces(tmp_path / name)
        workspace = workspaces.get()
        for hand in range(4):
            for character in range(6):
                workspace.train(lesson(character, hand))
                if ask_between:
                    workspace.predict(drawing(character, 99))
        answers.append([c.probability for c in workspace.predict(drawing(3, 50)).candidates])
        workspaces.close()
    assert answers[0] == pytest.approx(answers[1], abs=1e-9)
