"""Batches, learning rates, settings, and when a training is over."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.fit.batches import BatchSampler
from haleganada_server.training.fit.schedule import Plateau, compute_cosine_factor
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.fit.state import TrainingState, build_optimizer
from hypothesis import given
from hypothesis import strategies as st
from torch import nn


@given(
    items=st.integers(4, 300), batch=st.integers(2, 70), accumulation=st.integers(1, 5), processes=st.integers(1, 3)
)  # fmt: skip
def test_every_item_comes_once_and_all_processes_have_equally_many_micro_batches(
    items: int, batch: int, accumulation: int, processes: int
) -> None:
    sampler = BatchSampler(items, batch, accumulation, processes)
    steps = sampler.sample_epoch(seed=1, epoch=2)
    assert len(steps) == sampler.steps_per_epoch
    assert sorted(np.concatenate([micro_batch for step in steps for micro_batch in step])) == list(range(items))
    for step in steps:
        assert len(step) % processes == 0 and len(step) <= processes * accumulation
        sizes = [len(micro_batch) for micro_batch in step]
        assert max(sizes) <= batch and max(sizes) - min(sizes) <= 1 and min(sizes) >= 1


def test_no_step_is_a_leftover() -> None:
    assert [len(step[0]) for step in BatchSampler(65, 64).sample_epoch(0, 1)] == [33, 32]


def test_order_follows_from_seed_and_epoch() -> None:
    sampler = BatchSampler(50, 10)
    first, again, later = sampler.sample_epoch(1, 1), sampler.sample_epoch(1, 1), sampler.sample_epoch(1, 2)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(first, later, strict=True))


def test_cosine_warms_up_for_an_epoch_and_falls_to_zero() -> None:
    rates = [compute_cosine_factor(step, 10, 5) for step in range(50)]
    assert rates[0] == 0.1 and rates[9] == 1
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.01
    assert 0 < compute_cosine_factor(0, 1, 1) <= 1


def test_plateau_halves_after_five_epochs_without_a_better_loss() -> None:
    plateau = Plateau()
    for loss in (1.0, 0.9, 1.0, 1.0, 1.0, 0.95):
        plateau.update(loss)
    assert plateau.factor == 1
    plateau.update(0.9)
    assert plateau.factor == 0.5 and plateau.epochs_waited == 0


def add_epochs(state: TrainingState, *accuracies: float, losses: dict[int, float] | None = None) -> None:
    for number, accuracy in enumerate(accuracies, state.epoch + 1):
        state.add_epoch(
            Epoch(
                epoch=number,
                train_loss=1,
                train_accuracy=0,
                validation_loss=(losses or {}).get(number, 1),
                validation_accuracy=accuracy,
                learning_rate=0.1,
                seconds=1,
            ),
            has_validation=True,
        )


@pytest.fixture
def state() -> TrainingState:
    network = nn.Linear(2, 2)
    settings = TrainingSettings(epochs=1, batch_size=1, learning_rate=0.1)
    return TrainingState(network, build_optimizer(network.parameters(), settings))


def test_the_best_epoch_is_the_most_accurate_and_then_the_one_of_lowest_loss(
    state: TrainingState,
) -> None:
    add_epochs(state, 0.5, 0.8, 0.8, 0.8, 0.7, losses={2: 0.5, 3: 0.4, 4: 0.4})
    assert state.best_epoch == 3


def test_patience_counts_from_the_best_epoch(state: TrainingState) -> None:
    settings = TrainingSettings(epochs=100, batch_size=1, learning_rate=0.1, patience=3)
    add_epochs(state, 0.5, 0.8, 0.7, 0.7)
    assert not state.is_over(settings)
    add_epochs(state, 0.7)
    assert state.is_over(settings)
    assert not state.is_over(TrainingSettings(epochs=100, batch_size=1, learning_rate=0.1, patience=0))
    assert state.is_over(TrainingSettings(epochs=5, batch_size=1, learning_rate=0.1, patience=0))


def test_without_validation_the_last_state_is_the_best(state: TrainingState) -> None:
    for number in (1, 2):
        state.add_epoch(
            Epoch(
                epoch=number,
                train_loss=1,
                train_accuracy=0,
                validation_loss=0,
                validation_accuracy=0,
                learning_rate=0.1,
                seconds=1,
            ),
            has_validation=False,
        )
    assert state.best_epoch == 2


def test_requested_settings_override_the_presets() -> None:
    settings = TrainingSettings.resolve(
        {"epochs": 9, "batch_size": 8, "learning_rate": 0.1, "weight_decay": 0.2, "frozen_epochs": 1},
        {"batch_size": 4, "mixed_precision": False},
        drawings=1000,
    )
    assert settings == TrainingSettings(
        epochs=9, batch_size=4, learning_rate=0.1, weight_decay=0.2, frozen_epochs=1, mixed_precision=False
    )


def test_requests_of_earlier_versions_keep_their_meaning() -> None:
    defaults = {"epochs": 9, "batch_size": 8, "learning_rate": 0.1}
    assert TrainingSettings.resolve(defaults, {"optimiser": "adam"}, drawings=1000).optimizer == "adam"


@pytest.mark.parametrize(
    ("drawings", "requested", "epochs", "batch_size"),
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
    drawings: int, requested: dict[str, int], epochs: int, batch_size: int
) -> None:
    settings = TrainingSettings.resolve({"epochs": 15, "batch_size": 64, "learning_rate": 0.1}, requested, drawings)
    assert (settings.epochs, settings.batch_size) == (epochs, batch_size)
