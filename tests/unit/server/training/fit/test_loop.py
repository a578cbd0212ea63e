"""The loop: gradients of one large batch however it is divided, frozen layers, mixed precision, divergence."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import Precondition
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.precision import Precision
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.common.training_data import read_dataset
from haleganada_server.training.fit.epoch_loop import TrainingHooks
from haleganada_server.training.fit.loop import TrainingLoop
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.fit.state import TrainingState, build_optimizer
from torch import nn

from tests.unit.server.training.toy_dataset import write_dataset

CPU = torch.device("cpu")
SETTINGS = TrainingSettings(epochs=3, batch_size=12, learning_rate=3e-3, weight_decay=0.01)


def plain_network() -> nn.Sequential:
    """Return a network without batch statistics and dropout, which learns the same however a batch is divided."""
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(196, 8), nn.ReLU())
    network.add_module("decoder", nn.Linear(8, 3))
    return network


def train(
    dataset: dict[str, Any],
    settings: TrainingSettings,
    network: nn.Module | None = None,
    cancel_after: int = -1,
    precision: Precision | None = None,
) -> TrainingLoop:
    """Train for all epochs, or until cancelled after so many steps."""
    network = network or plain_network()
    steps: list[int] = []
    hooks = TrainingHooks(steps.append, lambda: len(steps) == cancel_after)
    precision = precision or Precision.choose(settings.mixed_precision, CPU)
    state = TrainingState(network, build_optimizer(network.parameters(), settings), precision)
    loop = TrainingLoop(
        state=state,
        data=read_dataset(dataset),
        settings=settings,
        ink=InkInput(16, CPU),
        group=ProcessGroup(CPU),
        head=list(network.children())[-1].parameters(),
        hooks=hooks,
    )
    while not state.is_over(settings):
        epoch = loop.run_epoch()
        if epoch is None:
            break
        state.add_epoch(epoch, has_validation=bool(len(loop.validation)))
    return loop


def weights(loop: TrainingLoop) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in loop.state.network.parameters()])


def test_training_learns_and_repeats_itself(dataset: dict[str, Any]) -> None:
    settings = dataclasses.replace(SETTINGS, epochs=12, learning_rate=1e-2, augment=False)
    first, again = train(dataset, settings), train(dataset, settings)
    assert first.state.history[-1].validation_accuracy > 0.9
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(train(dataset, dataclasses.replace(settings, seed=1))))


def test_only_what_is_learned_from_is_augmented(dataset: dict[str, Any]) -> None:
    network, seen = plain_network(), {True: list[torch.Tensor](), False: list[torch.Tensor]()}
    network[0].register_forward_pre_hook(lambda layer, inputs: seen[layer.training].append(inputs[0].clone()))
    loop = train(dataset, dataclasses.replace(SETTINGS, batch_size=36), network)
    trained, validated = (loop.ink(loop.data.rasters(part)) for part in (loop.train, loop.validation))
    assert len(seen[False]) == 3 and all(torch.equal(ink, validated) for ink in seen[False])
    assert len(seen[True]) == 3 and not any(torch.equal(ink.sum(0), trained.sum(0)) for ink in seen[True])


def test_accumulation_equals_one_large_batch(dataset: dict[str, Any]) -> None:
    large = train(dataset, SETTINGS)
    small = train(dataset, dataclasses.replace(SETTINGS, batch_size=3, accumulation=4))
    assert torch.allclose(weights(large), weights(small), atol=1e-5)
    assert large.state.history[-1].train_loss == pytest.approx(small.state.history[-1].train_loss, abs=1e-5)


def test_accumulation_counts_drawings_and_not_micro_batches(dataset: dict[str, Any]) -> None:
    """36 drawings make micro-batches of 7 and of 8, which differ in weight."""
    large = train(dataset, dataclasses.replace(SETTINGS, batch_size=36))
    small = train(dataset, dataclasses.replace(SETTINGS, batch_size=8, accumulation=5))
    assert torch.allclose(weights(large), weights(small), atol=1e-5)


def test_in_the_first_phase_only_the_last_layer_changes(dataset: dict[str, Any]) -> None:
    """Statistics of batch normalization are frozen too."""

    def changed(epochs: int) -> set[str]:
        network = nn.Sequential(nn.Conv2d(1, 4, 3, 2), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten())
        network.add_module("decoder", nn.Linear(196, 3))
        before = {k: v.clone() for k, v in network.state_dict().items()}
        train(dataset, dataclasses.replace(SETTINGS, epochs=epochs, frozen_epochs=2), network)
        return {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}

    assert changed(epochs=2) == {"decoder.weight", "decoder.bias"}
    assert "0.weight" in changed(epochs=3) and "1.running_mean" in changed(epochs=3)


def test_what_the_network_froze_stays_frozen(dataset: dict[str, Any]) -> None:
    network = plain_network()
    network[0].requires_grad_(False)
    before = network[0].weight.clone()
    train(dataset, dataclasses.replace(SETTINGS, frozen_epochs=1), network)
    assert torch.equal(before, network[0].weight)


def test_mixed_precision_trains_in_sixteen_bits_and_keeps_full_weights(dataset: dict[str, Any]) -> None:
    seen: list[torch.dtype] = []
    network = plain_network()
    network[0].register_forward_hook(lambda _m, _i, out: seen.append(out.dtype))
    loop = train(dataset, dataclasses.replace(SETTINGS, epochs=1, mixed_precision=True), network)
    assert set(seen) == {torch.bfloat16, torch.float32}, "training in bfloat16, measuring in float32"
    assert weights(loop).dtype == torch.float32
    assert Precision.choose(SETTINGS.mixed_precision, CPU).dtype is None


def test_float16_learns_what_float32_does(dataset: dict[str, Any]) -> None:
    """As on GPUs without bfloat16."""
    settings = dataclasses.replace(SETTINGS, epochs=12, learning_rate=1e-2, augment=False)
    loop = train(dataset, settings, precision=Precision(torch.float16))
    assert loop.state.history[-1].validation_accuracy > 0.9
    assert loop.state.history[-1].train_loss == pytest.approx(
        train(dataset, settings).state.history[-1].train_loss, abs=0.1
    )


def test_gradients_beyond_float16_are_skipped_and_the_scale_falls(dataset: dict[str, Any]) -> None:
    """With weights as large as these, the losses of 36 drawings times the first scale exceed its range."""
    network = plain_network()
    precision = Precision(torch.float16)
    with torch.no_grad():
        network[0].weight.mul_(300)
    before = precision.state()["scale"]
    loop = train(dataset, dataclasses.replace(SETTINGS, epochs=1, batch_size=36), network, precision=precision)
    assert precision.state()["scale"] < before
    assert bool(weights(loop).isfinite().all())


def test_cancelling_leaves_the_epoch_unfinished(dataset: dict[str, Any]) -> None:
    loop = train(dataset, SETTINGS, cancel_after=4)
    assert loop.state.epoch == 1 and loop.state.best_epoch == 1


@pytest.mark.parametrize("batch_size", [12, 36])
def test_a_loss_that_is_not_finite_is_reported(dataset: dict[str, Any], batch_size: int) -> None:
    """With one step per epoch, the loss on the training part is still finite."""
    with pytest.raises(Precondition, match="lower learning rate") as caught:
        train(dataset, dataclasses.replace(SETTINGS, learning_rate=1e30, batch_size=batch_size, epochs=5))
    assert caught.value.reason == "DIVERGED"


def test_weights_that_are_not_finite_are_reported_without_a_validation_part(tmp_path: Path) -> None:
    unsplit = write_dataset(tmp_path / "unsplit", {Part.TRAIN: 6})
    settings = dataclasses.replace(SETTINGS, learning_rate=3e37, weight_decay=10.0, batch_size=18, epochs=1)
    network = plain_network()
    nn.init.constant_(network[0].weight, 2)
    with pytest.raises(Precondition, match="lower learning rate") as caught:
        train(unsplit, settings, network)
    assert caught.value.reason == "DIVERGED"


def test_plateau_lowers_the_rate(dataset: dict[str, Any]) -> None:
    settings = dataclasses.replace(SETTINGS, schedule="plateau", epochs=8, learning_rate=1e-12, patience=0)
    loop = train(dataset, settings)
    rates = [epoch.learning_rate for epoch in loop.state.history]
    assert rates[0] == 1e-12 and rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_both_optimizers_lower_the_loss(dataset: dict[str, Any], optimizer: str) -> None:
    history = train(dataset, dataclasses.replace(SETTINGS, epochs=4, optimizer=optimizer, augment=False)).state.history
    assert history[-1].train_loss < history[0].train_loss


def test_without_a_validation_part_the_last_state_is_kept(tmp_path: Path) -> None:
    loop = train(write_dataset(tmp_path / "d", {Part.TRAIN: 6}), SETTINGS)
    assert loop.state.best_epoch == 3
    assert loop.state.history[-1].validation_accuracy == 0
