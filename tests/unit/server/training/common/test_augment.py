"""Augmentation is deterministic, stays in range, keeps ink inside, never mirrors, and changes nothing for zeros."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from haleganada_server.training.common.augment import NUMBERS_PER_DRAWING, augment, draw_random_numbers, mix_seed
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.vision import model_input

from tests.unit.server.training.toy_dataset import draw_shape

CPU = torch.device("cpu")


def ink(label: int = 3, count: int = 8) -> torch.Tensor:
    rng = np.random.default_rng(label)
    return InkInput(64, CPU)(np.stack([draw_shape(label, rng) for _ in range(count)]))


def test_zeros_change_nothing() -> None:
    assert torch.allclose(augment(ink(), torch.zeros(8, NUMBERS_PER_DRAWING)), ink(), atol=1e-6)


def test_a_drawing_looks_the_same_whatever_batch_it_is_in() -> None:
    numbers = draw_random_numbers(8, seed=3, epoch=2)
    batch = augment(ink(), numbers)
    alone = torch.cat([augment(ink()[i : i + 1], numbers[i : i + 1]) for i in range(8)])
    assert torch.allclose(batch, alone, atol=1e-5)


def test_random_numbers_depend_on_seed_and_epoch_alone() -> None:
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
def test_hardly_any_ink_leaves_the_raster(label: int, share: float) -> None:
    """Without keeping it inside, it leaves for a seventh of bars and rings and for nearly half of the shapes with ink
    in their corners, which rotate and bend furthest.
    """
    plain, numbers = ink(label, 400), draw_random_numbers(400, 0, 1)
    numbers[:, 6:8] = 0
    changed = augment(plain, numbers)
    assert 0.9 < float((changed.sum((1, 2, 3)) / plain.sum((1, 2, 3))).mean()) < 1.1
    edges = torch.cat([changed[:, 0, 0], changed[:, 0, -1], changed[:, 0, :, 0], changed[:, 0, :, -1]], dim=1)
    assert (edges.amax(1) > 0.5).float().mean() < share


def test_most_of_the_ink_stays_in_the_raster() -> None:
    plain = ink(0, 200)
    numbers = draw_random_numbers(200, 0, 1)
    numbers[:, 6:8] = 0
    kept = augment(plain, numbers).sum((1, 2, 3)) / plain.sum((1, 2, 3))
    assert kept.min() > 0.6 and 0.85 < kept.mean() < 1.15


def test_a_drawing_that_fills_its_raster_is_not_shifted() -> None:
    full = torch.ones(50, 1, 64, 64)
    numbers = torch.zeros(50, NUMBERS_PER_DRAWING)
    numbers[:, 1:3] = draw_random_numbers(50, 0, 1)[:, 1:3]
    assert torch.allclose(augment(full, numbers), full, atol=1e-5)


def test_a_small_drawing_is_shifted_by_the_full_amount() -> None:
    small, numbers = torch.zeros(1, 1, 64, 64), torch.zeros(1, NUMBERS_PER_DRAWING)
    small[:, :, 28:36, 28:36], numbers[:, 1] = 1, 1
    columns = augment(small, numbers)[0, 0].sum(0)
    middle = (columns * torch.arange(64)).sum() / columns.sum()
    assert float(middle) == pytest.approx(31.5 + 6.4, abs=0.2)


def test_no_drawing_is_mirrored() -> None:
    """A corner at the lower left leaves the upper right quarter emptiest, unlike all of its mirror images."""
    changed = augment(ink(3, 200), draw_random_numbers(200, 5, 1))
    corner = [(i < 32, j < 32) for i in (0, 63) for j in (0, 63)]
    mass = torch.stack([_quarter(changed, *where) for where in corner], dim=1)
    assert (mass.argmin(1) == 1).all(), "the upper right quarter is the empty one"


def _quarter(ink: torch.Tensor, upper: bool, left: bool) -> torch.Tensor:
    rows, columns = slice(0, 32) if upper else slice(32, 64), slice(0, 32) if left else slice(32, 64)
    return ink[:, 0, rows, columns].sum((1, 2))


def test_training_and_prediction_see_the_same_input() -> None:
    rasters = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)
    for side in (28, 32, 64, 128, 224):
        assert np.allclose(InkInput(side, CPU)(rasters).numpy(), model_input(rasters, side), atol=1e-6), side


def test_seeds_differ_if_any_number_differs() -> None:
    assert len({mix_seed(s, e, p) for s in range(20) for e in range(20) for p in range(2)}) == 800
    assert mix_seed(2**63 - 1, 1) != mix_seed(2**31 - 1, 1)
