"""Distill a wide network into a narrow one: start from its strongest channels, then imitate its embeddings.

Pruning drops the channels that contribute least to the next layer: mean square of the activation times that of the
weights applied to it (in the spirit of Molchanov et al. 2017). The student's embeddings are then pulled toward the
teacher's (Hinton, Vinyals and Dean 2015; Romero et al. 2015) with a weight that falls to zero by the middle of the run.
From then on it learns from drawings alone, so that the teacher's errors do not limit it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from haleganada_server.training.pretrain.network import EmbedderNetwork, NetworkShape, build_network, load_network

IMITATION = 2.0
"""Weight of 1 - cos(student, teacher) relative to the one-shot loss at the beginning of the run."""
IMITATION_SHARE = 0.5
"""Share of the run during which the student imitates."""
STUDENT_RATE = 0.5
"""Learning rate of a student, relative to that of a network that starts from random weights."""


@dataclass(frozen=True)
class Teacher:
    """A trained network that a student starts from, and imitates if is_imitated."""

    network: EmbedderNetwork
    is_imitated: bool = True

    def imitation_loss(self, ink: Tensor, embeddings: Tensor, done: float) -> Tensor | None:
        """Return the term to add to a student's loss, or None after IMITATION_SHARE of its run and if nobody imitates.

        ink: (n, 1, side, side) at the student's side. embeddings: the student's, (n, d). done: share of its run, 0..1.
        """
        weight = IMITATION * (1 - done / IMITATION_SHARE)
        if weight <= 0 or not self.is_imitated:
            return None
        with torch.no_grad():
            target = self.network(_resize_ink(self.network.shape.side, ink))
        return weight * (1 - (embeddings * target).sum(1)).mean()


def load_teacher(weights: Path, student: NetworkShape, device: str = "cpu") -> Teacher:
    """Load the network of a weights folder that `pretrain` wrote. A student of its shape goes on from all of it, so
    there is nothing to imitate.
    """
    network = load_network(weights)
    moved = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Teacher(moved, is_imitated=network.shape != student)


@torch.no_grad()
def narrow_network(wide: EmbedderNetwork, width: int, side: int, ink: Tensor) -> EmbedderNetwork:
    """Return the strongest channels of a network as a network of `width` for rasters of `side`.

    ink: (n, 1, s, s), sample drawings to measure activations with.
    """
    narrow = build_network(replace(wide.shape, width=width, side=side))
    x = functional.relu(wide.stem(_resize_ink(wide.shape.side, ink)))
    kept = _choose_strongest(x, _input_weights(wide.blocks[0]), width)
    _copy(wide.stem, narrow.stem, kept, torch.arange(1))
    for i, (block, smaller) in enumerate(zip(wide.blocks, narrow.blocks, strict=True)):
        channels = width << (i + 1)
        middle = functional.relu(block.reduce(x))
        inner = _choose_strongest(middle, _sum_squares(block.refine[0].weight), channels)
        x = block(x)
        weights = _input_weights(wide.blocks[i + 1]) if i + 1 < len(wide.blocks) else _sum_squares(_final_weights(wide))
        outer = _choose_strongest(x, weights, channels)
        _copy(block.reduce, smaller.reduce, inner, kept)
        _copy(block.refine, smaller.refine, outer, inner)
        _copy(block.skip, smaller.skip, outer, kept)
        kept = outer
    cells = narrow.project.in_features // len(kept)
    narrow.project.weight.copy_(_resize_final_weights(_final_weights(wide)[:, kept], cells))
    narrow.project.bias.copy_(wide.project.bias)
    return narrow


def _final_weights(network: EmbedderNetwork) -> Tensor:
    """Return the projection's weights, (dim, channels, cells)."""
    return network.project.weight.unflatten(1, (network.shape.width << 3, -1))


def _resize_final_weights(weights: Tensor, cells: int) -> Tensor:
    """Resample (dim, channels, old cells) to (dim, channels x cells), so that each place keeps its weight."""
    old, new = math.isqrt(weights.shape[2]), math.isqrt(cells)
    if old != new:
        square = functional.interpolate(weights.unflatten(2, (old, old)), (new, new), mode="bilinear")
        weights = square.flatten(2) * (old / new) ** 2
    return weights.flatten(1)


def _resize_ink(side: int, ink: Tensor) -> Tensor:
    """Resize ink (n, 1, s, s) to (n, 1, side, side) by area averaging."""
    return ink if ink.shape[-1] == side else functional.interpolate(ink, (side, side), mode="area")


def _input_weights(block: nn.Module) -> Tensor:
    """Return the squared weight that a block gives each of its input channels."""
    return _sum_squares(block.reduce[0].weight) + _sum_squares(block.skip[0].weight)


def _sum_squares(weight: Tensor) -> Tensor:
    """Sum squares over all but the inputs: (outputs, inputs, ...) -> (inputs,)."""
    return weight.square().transpose(0, 1).flatten(1).sum(1)


def _choose_strongest(activations: Tensor, weights: Tensor, number: int) -> Tensor:
    """Return the channels of (n, channels, s, s) that contribute most to the next layer, in ascending order."""
    contribution = activations.square().mean((0, 2, 3)) * weights
    return contribution.topk(number).indices.sort().values


def _copy(source: nn.Sequential, target: nn.Sequential, outputs: Tensor, inputs: Tensor) -> None:
    """Copy a convolution and its normalization, restricted to some channels."""
    target[0].weight.copy_(source[0].weight[outputs][:, inputs])
    values = source[1].state_dict()
    for name, target_value in target[1].state_dict().items():
        target_value.copy_(values[name][outputs] if target_value.ndim else values[name])
