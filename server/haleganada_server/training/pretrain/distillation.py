"""A narrow network made from a wide one: it starts as the wide one's strongest channels and at first imitates it.

Left out are the channels that weigh least with the next layer: mean square of the activation times that of the
weights that read it (in the spirit of Molchanov et al. 2017). Then the student's embeddings are drawn towards the
teacher's (Hinton, Vinyals and Dean 2015; Romero et al. 2015), less and less until the middle of the run. From there on
it learns from drawings alone, so that the teacher's faults do not bound it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from haleganada_server.runtime.network import EmbedderNetwork, build_network, load_network

IMITATION = 2.0
"""Weight of 1 - cos(student, teacher) beside the one-shot loss, when the run begins."""
IMITATED = 0.5
"""Share of the run after which the teacher is no longer asked."""
RATE = 0.5
"""Learning rate as a share of that of a network that starts from nothing."""


@dataclass(frozen=True)
class Teacher:
    """A trained network that another one imitates."""

    network: EmbedderNetwork

    def lesson(self, ink: Tensor, embeddings: Tensor, done: float) -> Tensor | None:
        """What to add to the loss for a student's `embeddings` (n, d) of `ink` (n, 1, side, side), which it sees
        at its own side, when the share `done` of its run is over; None if nothing.
        """
        weight = IMITATION * (1 - done / IMITATED)
        if weight <= 0:
            return None
        with torch.no_grad():
            wanted = self.network(_seen_at(self.network.shape.side, ink))
        return weight * (1 - (embeddings * wanted).sum(1)).mean()


def load_teacher(weights: Path, device: str = "cpu") -> Teacher:
    """The network of a weights folder, as `pretrain` writes it."""
    network = load_network(weights / "embedder.safetensors")
    return Teacher(network.to(device, memory_format=torch.channels_last))  # type: ignore[call-overload]


@torch.no_grad()
def narrowed(wide: EmbedderNetwork, width: int, side: int, ink: Tensor) -> EmbedderNetwork:
    """The strongest channels of a network, as a network of `width` for rasters of `side`. ink: (n, 1, s, s), to see
    what is active.
    """
    narrow = build_network(replace(wide.shape, width=width, side=side))
    x = functional.relu(wide.stem(_seen_at(wide.shape.side, ink)))
    kept = _strongest(x, _reads(wide.blocks[0]), width)
    _copy(wide.stem, narrow.stem, kept, torch.arange(1))
    for i, (block, smaller) in enumerate(zip(wide.blocks, narrow.blocks, strict=True)):
        channels = width << (i + 1)
        middle = functional.relu(block.reduce(x))
        inner = _strongest(middle, _squares(block.refine[0].weight), channels)
        x = block(x)
        reads = _reads(wide.blocks[i + 1]) if i + 1 < len(wide.blocks) else _squares(_by_channel(wide))
        outer = _strongest(x, reads, channels)
        _copy(block.reduce, smaller.reduce, inner, kept)
        _copy(block.refine, smaller.refine, outer, inner)
        _copy(block.skip, smaller.skip, outer, kept)
        kept = outer
    narrow.project.weight.copy_(_spread(_by_channel(wide)[:, kept], narrow.project.in_features // len(kept)))
    narrow.project.bias.copy_(wide.project.bias)
    return narrow


def _by_channel(network: EmbedderNetwork) -> Tensor:
    """The last map's weights, (dim, channels, cells)."""
    return network.project.weight.unflatten(1, (network.shape.width << 3, -1))


def _spread(weights: Tensor, cells: int) -> Tensor:
    """(dim, channels, old cells) -> (dim, channels x cells): each place of the map read as before, at another grain."""
    old, new = math.isqrt(weights.shape[2]), math.isqrt(cells)
    if old != new:
        square = functional.interpolate(weights.unflatten(2, (old, old)), (new, new), mode="bilinear")
        weights = square.flatten(2) * (old / new) ** 2
    return weights.flatten(1)


def _seen_at(side: int, ink: Tensor) -> Tensor:
    """(n, 1, s, s) ink -> (n, 1, side, side), by areas."""
    return ink if ink.shape[-1] == side else functional.interpolate(ink, (side, side), mode="area")


def _reads(block: nn.Module) -> Tensor:
    """How strongly a block reads each of its input channels."""
    return _squares(block.reduce[0].weight) + _squares(block.skip[0].weight)


def _squares(weight: Tensor) -> Tensor:
    """(outputs, inputs, ...) -> (inputs,)."""
    return weight.square().transpose(0, 1).flatten(1).sum(1)


def _strongest(activations: Tensor, reads: Tensor, number: int) -> Tensor:
    """The channels of (n, channels, s, s) that contribute most to what reads them, in their order."""
    contribution = activations.square().mean((0, 2, 3)) * reads
    return contribution.topk(number).indices.sort().values


def _copy(source: nn.Sequential, target: nn.Sequential, outputs: Tensor, inputs: Tensor) -> None:
    """A convolution and its normalization, of some channels only."""
    target[0].weight.copy_(source[0].weight[outputs][:, inputs])
    theirs = source[1].state_dict()
    for name, value in target[1].state_dict().items():
        value.copy_(theirs[name][outputs] if value.ndim else theirs[name])
