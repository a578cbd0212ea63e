"""Checkpoints hold everything, are written whole or not at all, and fall back to the one before when damaged."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.common.atomic_files import write_atomically
from haleganada_server.training.common.precision import Precision
from haleganada_server.training.fit import checkpoint
from haleganada_server.training.fit.checkpoint import load_checkpoint, save_checkpoint
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.fit.state import TrainingState, build_optimizer
from torch import nn

ACCURACY = {1: 0.5, 2: 0.9, 3: 0.7, 4: 0.6}


def new_state() -> TrainingState:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    network.to(memory_format=torch.channels_last)
    settings = TrainingSettings(epochs=9, batch_size=1, learning_rate=0.1)
    return TrainingState(network, build_optimizer(network.parameters(), settings))


def train(state: TrainingState, epochs: int) -> TrainingState:
    """Take one step per epoch, on numbers that follow from the epoch."""
    for _ in range(epochs):
        number = state.epoch + 1
        state.optimizer.zero_grad()
        ink = torch.rand(4, 2, 5, 5, generator=torch.Generator().manual_seed(number))
        state.network(ink).square().mean().backward()
        state.optimizer.step()
        state.plateau.update(1.0)
        state.add_epoch(
            Epoch(
                epoch=number,
                train_loss=1,
                train_accuracy=0,
                validation_loss=1,
                validation_accuracy=ACCURACY[number],
                learning_rate=0.1,
                seconds=1,
            ),
            has_validation=True,
        )
    return state


def assert_equal(a: TrainingState, b: TrainingState) -> None:
    assert (a.history, a.best_epoch, a.plateau) == (b.history, b.best_epoch, b.plateau)
    for ours, theirs in ((a.network.state_dict(), b.network.state_dict()), (a.best, b.best)):
        assert ours.keys() == theirs.keys() and all(torch.equal(v, theirs[k]) for k, v in ours.items())


@pytest.mark.parametrize("epochs", [2, 3])
def test_resuming_from_a_checkpoint_changes_nothing(tmp_path: Path, epochs: int) -> None:
    """Epoch 2 is the best: its state is the current one after two epochs, and another one after three."""
    save_checkpoint(train(new_state(), epochs), tmp_path, "same")
    resumed = new_state()
    assert load_checkpoint(resumed, tmp_path, "same")
    assert_equal(resumed, train(new_state(), epochs))
    assert_equal(train(resumed, 1), train(new_state(), epochs + 1))


def test_the_scale_of_float16_is_kept(tmp_path: Path) -> None:
    """Each step doubles it; without it the scale would start over."""
    halves = [Precision(torch.float16) for _ in range(2)]
    for precision in halves:
        precision.restore({**precision.state(), "growth_interval": 1})
    kept, resumed = (replace(new_state(), precision=precision) for precision in halves)
    for parameter in kept.network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    before = kept.precision.state()["scale"]
    kept.precision.backward(sum(p.sum() for p in kept.network.parameters()))
    kept.precision.step(kept.optimizer)
    save_checkpoint(train(kept, 1), tmp_path, "same")
    assert load_checkpoint(resumed, tmp_path, "same")
    assert resumed.precision.state()["scale"] == kept.precision.state()["scale"] == 2 * before


def test_later_checkpoints_of_another_training_do_not_crowd_out_new_ones(tmp_path: Path) -> None:
    state = new_state()
    for _ in range(4):
        save_checkpoint(train(state, 1), tmp_path, "other")
    again = new_state()
    assert not load_checkpoint(again, tmp_path, "same")
    save_checkpoint(train(again, 1), tmp_path, "same")
    resumed = new_state()
    assert load_checkpoint(resumed, tmp_path, "same") and resumed.epoch == 1


def test_a_checkpoint_of_another_format_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(train(new_state(), 1), tmp_path, "same")
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    assert not load_checkpoint(new_state(), tmp_path, "same")


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    state = new_state()
    for _ in range(4):
        save_checkpoint(train(state, 1), tmp_path, "same")
    assert {p.name for p in tmp_path.iterdir()} == {"checkpoint-000003.safetensors", "checkpoint-000004.safetensors"}


@pytest.mark.parametrize("damage", ["cut", "emptied", "not ours"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path, damage: str) -> None:
    state = new_state()
    for _ in range(2):
        save_checkpoint(train(state, 1), tmp_path, "same")
    last = tmp_path / "checkpoint-000002.safetensors"
    content = last.read_bytes()
    last.write_bytes({"cut": content[:-50], "emptied": b"", "not ours": b"\xff" * 100}[damage])
    resumed = new_state()
    assert load_checkpoint(resumed, tmp_path, "same") and resumed.epoch == 1
    last.unlink()
    (tmp_path / "checkpoint-000001.safetensors").write_bytes(b"")
    assert not load_checkpoint(new_state(), tmp_path, "same")


def test_a_checkpoint_of_another_training_is_not_resumed(tmp_path: Path) -> None:
    save_checkpoint(train(new_state(), 1), tmp_path, "same")
    assert not load_checkpoint(new_state(), tmp_path, "other")


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
