"""Order of the steps, learning rates, and when a training is over."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.fit.order import Order
from haleganada_server.training.fit.schedule import Plateau, cosine
from haleganada_server.training.fit.settings import FitSettings
from haleganada_server.training.fit.state import FitState, build_optimiser
from hypothesis import given
from hypothesis import strategies as st
from torch import nn


@given(
    items=st.integers(4, 300), batch=st.integers(2, 70), accumulation=st.integers(1, 5), processes=st.integers(1, 3)
)  # fmt: skip
def test_every_item_comes_once_in_pieces_that_all_processes_have(
    items: int, batch: int, accumulation: int, processes: int
) -> None:
    order = Order(items, batch, accumulation, processes)
    steps = order.epoch(seed=1, epoch=2)
    assert len(steps) == order.steps
    assert sorted(np.concatenate([piece for step in steps for piece in step])) == list(range(items))
    for step in steps:
        assert len(step) % processes == 0 and len(step) <= processes * accumulation
        sizes = [len(piece) for piece in step]
        assert max(sizes) <= batch and max(sizes) - min(sizes) <= 1 and min(sizes) >= 1


def test_no_step_is_a_leftover() -> None:
    assert [len(step[0]) for step in Order(65, 64).epoch(0, 1)] == [33, 32]


def test_order_follows_from_seed_and_epoch() -> None:
    order = Order(50, 10)
    first, again, later = order.epoch(1, 1), order.epoch(1, 1), order.epoch(1, 2)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(first, later, strict=True))


def test_cosine_warms_up_for_an_epoch_and_falls_to_nothing() -> None:
    rates = [cosine(step, 10, 5) for step in range(50)]
    assert rates[0] == 0.1 and rates[9] == 1
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.01
    assert 0 < cosine(0, 1, 1) <= 1


def test_plateau_halves_after_five_epochs_without_a_better_loss() -> None:
    plateau = Plateau()
    for loss in (1.0, 0.9, 1.0, 1.0, 1.0, 0.95):
        plateau.heed(loss)
    assert plateau.share == 1
    plateau.heed(0.9)
    assert plateau.share == 0.5 and plateau.waited == 0


def history(state: FitState, *accuracies: float, losses: dict[int, float] | None = None) -> None:
    for number, accuracy in enumerate(accuracies, state.epoch + 1):
        state.add(Epoch(number, 1, 0, (losses or {}).get(number, 1), accuracy, 0.1, 1), validated=True)


@pytest.fixture
def state() -> FitState:
    network = nn.Linear(2, 2)
    return FitState(network, build_optimiser(network.parameters(), FitSettings(1, 1, 0.1)))


def test_the_best_epoch_is_the_most_accurate_and_of_equals_the_one_of_lower_loss(state: FitState) -> None:
    history(state, 0.5, 0.8, 0.8, 0.8, 0.7, losses={2: 0.5, 3: 0.4, 4: 0.4})
    assert state.best_epoch == 3


def test_patience_counts_from_the_best_epoch(state: FitState) -> None:
    settings = FitSettings(100, 1, 0.1, patience=3)
    history(state, 0.5, 0.8, 0.7, 0.7)
    assert not state.over(settings)
    history(state, 0.7)
    assert state.over(settings)
    assert not state.over(FitSettings(100, 1, 0.1, patience=0))
    assert state.over(FitSettings(5, 1, 0.1, patience=0))


def test_without_validation_the_last_state_is_the_best(state: FitState) -> None:
    for number in (1, 2):
        state.add(Epoch(number, 1, 0, 0, 0, 0.1, 1), validated=False)
    assert state.best_epoch == 2


def test_settings_given_go_before_the_presets() -> None:
    settings = FitSettings.of(
        {"epochs": 9, "batch_size": 8, "learning_rate": 0.1, "weight_decay": 0.2, "frozen_epochs": 1},
        {"batch_size": 4, "mixed_precision": False},
        drawings=1000,
    )
    assert settings == FitSettings(9, 4, 0.1, 0.2, frozen_epochs=1, mixed_precision=False)


@pytest.mark.parametrize(
    ("drawings", "given", "epochs", "batch_size"),
    [
        (2, {}, 300, 8),
        (37, {}, 75, 8),
        (300, {}, 17, 16),
        (1024, {}, 19, 64),
        (7123, {}, 15, 64),
        (37, {"epochs": 3}, 3, 8),
        (37, {"batch_size": 37}, 300, 37),
    ],
)
def test_a_small_data_set_is_learned_in_small_steps(
    drawings: int, given: dict[str, int], epochs: int, batch_size: int
) -> None:
    settings = FitSettings.of({"epochs": 15, "batch_size": 64, "learning_rate": 0.1}, given, drawings)
    assert (settings.epochs, settings.batch_size) == (epochs, batch_size)
