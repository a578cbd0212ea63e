"""A vocabulary that grows while it is trained: the last layer and what the optimiser remembers of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from haleganada_server.training.presets.growth import grown


def grow(network: nn.Module, optimiser: torch.optim.Optimizer, classes: int) -> None:
    """Give the network's decoder `classes` rows, and the optimiser its new parameters.

    Old rows keep their values and moments bit for bit; new rows begin as a fresh layer has them, with moments of zero.
    Raises ValueError if it would have to shrink.
    """
    old = network.get_submodule("decoder")
    assert isinstance(old, nn.Linear)
    new = grown(old, classes)
    network.add_module("decoder", new)
    for before, after in ((old.weight, new.weight), (old.bias, new.bias)):
        _exchange(optimiser, before, after)


def _exchange(optimiser: torch.optim.Optimizer, before: nn.Parameter, after: nn.Parameter) -> None:
    for group in optimiser.param_groups:
        group["params"] = [after if parameter is before else parameter for parameter in group["params"]]
    if before in optimiser.state:
        moments = optimiser.state.pop(before)
        optimiser.state[after] = {name: _longer(value, before, after) for name, value in moments.items()}


def _longer(value: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """What the optimiser keeps for each number of a parameter, for the longer one; other values as they are."""
    if value.shape != before.shape:
        return value
    longer = torch.zeros_like(after)
    longer[: len(before)] = value
    return longer
