"""Augmentation: the same picture for the same numbers, nothing outside the range, no mirror, no change without
draws.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from haleganada_server.training.common.augment import DRAWS, augment, draw_random_numbers, mix_seed
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.vision import model_input

from tests.unit.server.training.fit.conftest import draw_shape

CPU = torch.device("cpu")


def ink(label: int = 3, count: int = 8) -> torch.Tensor:
    rng = np.random.default_rng(label)
    return InkInput(64, CPU)(np.stack([draw_shape(label, rng) for _ in range(count)]))


def test_without_draws_nothing_changes() -> None:
    assert torch.allclose(augment(ink(), torch.zeros(8, DRAWS)), ink(), atol=1e-6)


def test_a_drawing_looks_the_same_whatever_batch_it_is_in() -> None:
    drawn = draw_random_numbers(8, seed=3, epoch=2)
    whole = augment(ink(), drawn)
    alone = torch.cat([augment(ink()[i : i + 1], drawn[i : i + 1]) for i in range(8)])
    assert torch.allclose(whole, alone, atol=1e-5)


def test_draws_follow_from_seed_and_epoch_alone() -> None:
    torch.manual_seed(0)
    first = draw_random_numbers(5, seed=1, epoch=1)
    torch.manual_seed(1)
    assert torch.equal(first, draw_random_numbers(5, seed=1, epoch=1))
    assert not torch.equal(first, draw_random_numbers(5, seed=1, epoch=2))
    assert not torch.equal(first, draw_random_numbers(5, seed=2, epoch=1))
    assert torch.equal(first[:3], draw_random_numbers(3, seed=1, epoch=1))


def test_ink_stays_in_its_range_and_paper_stays_paper() -> None:
    changed = augment(ink(), draw_random_numbers(8, 0, 1))
    assert changed.min() >= 0 and changed.max() <= 1
    assert augment(torch.zeros(8, 1, 64, 64), draw_random_numbers(8, 0, 1)).max() == 0


@pytest.mark.parametrize(("label", "share"), [(0, 0.06), (1, 0.06), (2, 0.2), (3, 0.2)])
def test_hardly_any_ink_leaves_the_picture(label: int, share: float) -> None:
    """Where nothing keeps it inside, it does so in a seventh of bars and rings and in nearly half of what has ink in
    its corners, which are turned and bent furthest.
    """
    plain, drawn = ink(label, 400), draw_random_numbers(400, 0, 1)
    drawn[:, 6:8] = 0
    seen = augment(plain, drawn)
    assert 0.9 < float((seen.sum((1, 2, 3)) / plain.sum((1, 2, 3))).mean()) < 1.1
    edges = torch.cat([seen[:, 0, 0], seen[:, 0, -1], seen[:, 0, :, 0], seen[:, 0, :, -1]], dim=1)
    assert (edges.amax(1) > 0.5).float().mean() < share


def test_most_of_the_ink_stays_in_the_picture() -> None:
    plain = ink(0, 200)
    drawn = draw_random_numbers(200, 0, 1)
    drawn[:, 6:8] = 0
    kept = augment(plain, drawn).sum((1, 2, 3)) / plain.sum((1, 2, 3))
    assert kept.min() > 0.6 and 0.85 < kept.mean() < 1.15


def test_a_drawing_that_fills_its_picture_is_not_shifted() -> None:
    full = torch.ones(50, 1, 64, 64)
    drawn = torch.zeros(50, DRAWS)
    drawn[:, 1:3] = draw_random_numbers(50, 0, 1)[:, 1:3]
    assert torch.allclose(augment(full, drawn), full, atol=1e-5)


def test_a_small_drawing_goes_where_it_is_sent() -> None:
    small, drawn = torch.zeros(1, 1, 64, 64), torch.zeros(1, DRAWS)
    small[:, :, 28:36, 28:36], drawn[:, 1] = 1, 1
    columns = augment(small, drawn)[0, 0].sum(0)
    middle = (columns * torch.arange(64)).sum() / columns.sum()
    assert float(middle) == pytest.approx(31.5 + 6.4, abs=0.2)


def test_no_drawing_is_mirrored() -> None:
    """A corner drawn lower left leaves the upper right quarter the emptiest one, as none of its mirror images does."""
    changed = augment(ink(3, 200), draw_random_numbers(200, 5, 1))
    corner = [(i < 32, j < 32) for i in (0, 63) for j in (0, 63)]
    mass = torch.stack([_quarter(changed, *where) for where in corner], dim=1)
    assert (mass.argmin(1) == 1).all(), "the upper right quarter is the empty one"


def _quarter(ink: torch.Tensor, upper: bool, left: bool) -> torch.Tensor:
    rows, columns = slice(0, 32) if upper else slice(32, 64), slice(0, 32) if left else slice(32, 64)
    return ink[:, 0, rows, columns].sum((1, 2))


def test_what_training_sees_is_what_prediction_sees() -> None:
    rasters = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)
    for side in (28, 32, 64, 128, 224):
        assert np.allclose(InkInput(side, CPU)(rasters).numpy(), model_input(rasters, side), atol=1e-6), side


def test_seeds_differ_where_a_number_differs() -> None:
    assert len({mix_seed(s, e, p) for s in range(20) for e in range(20) for p in range(2)}) == 800
    assert mix_seed(2**63 - 1, 1) != mix_seed(2**31 - 1, 1)
