"""The last layer of a network in training, which grows with the vocabulary, and what the optimizer keeps of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from haleganada_server.training.presets.decoder import expand_linear


def expand_decoder(network: nn.Module, optimizer: torch.optim.Optimizer, classes: int) -> None:
    """Give the network's decoder `classes` rows, and the optimizer its new parameters.

    Old rows keep their values and moments bit for bit; new rows are initialized as in a new layer, with zero moments.
    Raises ValueError if the decoder would have to shrink.
    """
    old = network.get_submodule("decoder")
    assert isinstance(old, nn.Linear)
    new = expand_linear(old, classes)
    network.add_module("decoder", new)
    for before, after in ((old.weight, new.weight), (old.bias, new.bias)):
        _replace_parameter(optimizer, before, after)


def _replace_parameter(optimizer: torch.optim.Optimizer, before: nn.Parameter, after: nn.Parameter) -> None:
    for group in optimizer.param_groups:
        group["params"] = [after if parameter is before else parameter for parameter in group["params"]]
    if before in optimizer.state:
        moments = optimizer.state.pop(before)
        optimizer.state[after] = {name: _pad(value, before, after) for name, value in moments.items()}


def _pad(value: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Pad with zeros what the optimizer keeps for each number of a parameter; return other values as they are."""
    if value.shape != before.shape:
        return value
    padded = torch.zeros_like(after)
    padded[: len(before)] = value
    return padded
