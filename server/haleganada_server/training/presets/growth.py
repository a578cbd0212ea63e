"""A vocabulary that grows: more rows for the last layer of a network."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def grown(layer: nn.Linear, classes: int) -> nn.Linear:
    """A layer with `classes` rows, the first of them those of `layer` bit for bit, the others as a fresh layer has
    them.

    Raises ValueError if it would have to shrink.
    """
    if classes < layer.out_features:
        raise ValueError(f"{layer.out_features} classes cannot become {classes}: ids of classes are never given up")
    larger = nn.Linear(layer.in_features, classes, device=layer.weight.device, dtype=layer.weight.dtype)
    larger.weight[: layer.out_features] = layer.weight
    larger.bias[: layer.out_features] = layer.bias
    return larger
