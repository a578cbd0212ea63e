"""The last layer of a network, which grows with the vocabulary."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def expand_linear(layer: nn.Linear, classes: int) -> nn.Linear:
    """Return a layer with `classes` rows: first those of `layer`, bit for bit, then initialized ones.

    Raises ValueError if it would have to shrink.
    """
    if classes < layer.out_features:
        raise ValueError(f"{layer.out_features} classes cannot become {classes}: ids of classes are never given up")
    larger = nn.Linear(layer.in_features, classes, device=layer.weight.device, dtype=layer.weight.dtype)
    larger.weight[: layer.out_features] = layer.weight
    larger.bias[: layer.out_features] = layer.bias
    return larger
