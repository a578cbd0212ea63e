"""Optimizers and learning rate schedule: Muon for the matrices, AdamW for the rest.

Muon (Jordan et al. 2024) orthogonalizes each momentum matrix by a Newton-Schulz iteration and learns much more from
each batch than Adam does; its step is scaled to Adam's size (Liu et al. 2025), so that both share a learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

LEARNING_RATE = 4e-3
WEIGHT_DECAY = 1e-2
WARM_UP = 0.01
"""Share of the run during which the learning rate rises."""


def orthogonalize(matrix: Tensor, iterations: int = 5) -> Tensor:
    """Approximate U V^T of the singular value decomposition of a matrix (rows, columns).

    Each Newton-Schulz step multiplies by a polynomial in the Gram matrix. The polynomials commute, so they are
    multiplied with one another first, at the size of the smaller side, and with the matrix only once. That is four
    times as fast.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (x.norm() + 1e-7)
    gram = x @ x.T
    product = torch.eye(len(x), dtype=x.dtype, device=x.device)
    for _ in range(iterations):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor @ product
        gram = factor @ gram @ factor
    x = product @ x
    result: Tensor = x.T if matrix.shape[0] > matrix.shape[1] else x
    return result


class Muon(torch.optim.Optimizer):
    """Momentum with orthogonalized steps; a convolution counts as an (outputs, inputs x kernel) matrix."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ARG002 -- torch's signature
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, p.grad, group)

    def _update(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(p)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(state["momentum"], group["momentum"])
        rows = ahead.reshape(len(ahead), -1)
        step = orthogonalize(rows).reshape(p.shape) * (0.2 * math.sqrt(max(rows.shape)))
        p.mul_(1 - group["lr"] * group["weight_decay"]).add_(step, alpha=-group["lr"])


def build_optimizers(network: nn.Module, loss: nn.Module, muon: bool = True) -> list[torch.optim.Optimizer]:
    """Return AdamW for the stem, norms, biases and the loss's scale, and Muon for the inner matrices."""
    named = list(network.named_parameters()) + list(loss.named_parameters())
    matrices = [p for n, p in named if muon and p.ndim > 1 and not n.startswith("stem")]
    chosen = {id(p) for p in matrices}
    rest = [p for _, p in named if id(p) not in chosen]
    adam = torch.optim.AdamW(rest, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    if not matrices:
        return [adam]
    return [adam, Muon(matrices, LEARNING_RATE, momentum=0.95, weight_decay=0.1)]


def learning_rate(progress: float) -> float:
    """Return the rate at `progress` in 0..1: linear warm-up, flat, then a decline over the last three fifths."""
    if progress < WARM_UP:
        return LEARNING_RATE * max(progress / WARM_UP, 0.02)
    return LEARNING_RATE * max(min(1.0, (1 - progress) / 0.6), 0.002)


def set_learning_rate(optimizers: list[torch.optim.Optimizer], rate: float) -> None:
    """Set one rate for all optimizers."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
