"""The mean of what a model knew and of what a hand has taught it: how much is kept, and of which tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from haleganada_server.training.fit.state import TrainingState, copy_tensors
from haleganada_server.training.lines.averaging import WeightMean, average_with_start
from haleganada_server.training.lines.loop import LineLoop
from torch import nn

KNOWN = 2  # symbols


def build_network(value: float) -> nn.ModuleDict:
    """Return tensors as a line recognizer has them that knew two symbols, and learned a third one."""
    network = nn.ModuleDict({"norm": nn.BatchNorm1d(1), "decoder": nn.Linear(1, 1 + KNOWN + 1)})
    for parameter in network.parameters():
        nn.init.constant_(parameter, value)
    return network


class Loop:
    """A training that is over: every weight went from 0 to 1. loss: of a network, by its share of that."""

    def __init__(self, loss: Callable[[float], float], validated: int = 10) -> None:
        network = build_network(1.0)
        network["norm"].num_batches_tracked.fill_(7)
        self.state = TrainingState(network, torch.optim.SGD(network.parameters(), lr=0.1))
        self.state.best, self.state.best_epoch = copy_tensors(network), 1
        self.validation = np.arange(validated)
        self._loss = loss

    def validate(self) -> tuple[float, float]:
        share = float(self.state.network["norm"].weight.detach()[0])
        return self._loss(share), 1 - share / 10


def average(loop: Loop) -> WeightMean | None:
    return average_with_start(cast(LineLoop, cast(Any, loop)), copy_tensors(build_network(0.0)), KNOWN)


@pytest.mark.parametrize(
    ("loss", "share"),
    [(lambda share: abs(share - 0.7), 0.7), (lambda share: 1 - share, 1.0), (lambda _: 0.3, 0.5)],
    ids=["lowest between", "lowest at the end", "level"],
)
def test_the_mean_with_the_lowest_loss_becomes_the_best_state(loss: Callable[[float], float], share: float) -> None:
    loop = Loop(loss)
    mean = average(loop)
    assert mean is not None
    assert mean.share == share
    assert mean.accuracy == pytest.approx(1 - share / 10)
    assert loop.state.best["norm.weight"].tolist() == pytest.approx([share])
    assert loop.state.best["norm.num_batches_tracked"] == 7
    assert float(loop.state.network["norm"].weight.detach()[0]) == 1.0, "the last state stays"


def test_new_symbols_stay_as_they_were_learned() -> None:
    loop = Loop(lambda _: 0.3)
    average(loop)
    for name in ("decoder.weight", "decoder.bias"):
        assert loop.state.best[name].flatten().tolist() == [0.5, 0.5, 0.5, 1.0]


def test_nothing_is_averaged_if_too_few_lines_tell_what_it_costs() -> None:
    loop = Loop(lambda _: 0.3, validated=9)
    assert average(loop) is None
    assert loop.state.best["norm.weight"].tolist() == [1.0]
