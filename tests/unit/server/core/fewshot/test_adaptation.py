"""A head adapts to how handwriting varies in its script, and keeps its prior as long as there are few samples."""

from __future__ import annotations

import numpy as np
import pytest
from haleganada_server.core.fewshot.adaptation import PRIOR_SAMPLES, Basis, adapt_basis
from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.core.fewshot.draft import HeadDraft
from haleganada_server.core.fewshot.head import Head
from numpy.typing import NDArray

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


def teach_drawings(drawings: Floats) -> Head:
    labels = [str(label) for label in range(len(drawings)) for _ in range(drawings.shape[1])]
    return build_head(PRIOR, labels, drawings.reshape(-1, DIM))


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
    head = teach_drawings(script.drawings(5))
    asked = script.drawings(3)
    assert accuracy(head.adapt(), asked) > accuracy(head, asked) + 0.1


def test_a_young_workspace_keeps_the_prior() -> None:
    script = Script()
    drawings = script.drawings(1)[:3]
    head, query = teach_drawings(drawings), drawings[0, 0] + 0.1
    assert head.adapt().scores(query) == pytest.approx(head.scores(query), rel=0.02)


def test_the_prior_is_what_a_basis_starts_from() -> None:
    basis = Basis.prior(PRIOR)
    assert (basis.matrix == np.eye(DIM)).all()
    assert (basis.between == PRIOR).all()


def test_an_adapted_head_has_nothing_to_adapt() -> None:
    head = teach_drawings(Script().drawings(2)).adapt()
    assert head.is_adapted and head.adapt() is head


def test_changes_drift_away_from_a_basis_until_the_next_one() -> None:
    head = teach_drawings(Script().drawings(2)).adapt()
    assert head.drift == 0
    draft = HeadDraft(head)
    draft.teach("0", PRIOR)
    draft.forget("1", PRIOR)
    changed = draft.freeze()
    assert not changed.is_adapted and changed.drift == pytest.approx(2 / (600 + PRIOR_SAMPLES))
    assert changed.adapt().is_adapted and changed.adapt().drift == 0
