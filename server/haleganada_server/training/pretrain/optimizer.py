"""Optimisers and schedule: Muon for the matrices, AdamW for the rest.

Muon (Jordan et al. 2024) orthogonalises each momentum matrix by a Newton-Schulz iteration, which makes much more of
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
"""Share of the run in which the learning rate rises."""


def orthogonalised(matrix: Tensor, iterations: int = 5) -> Tensor:
    """About U V^T of the singular value decomposition of a matrix (rows, columns).

    Each Newton-Schulz step multiplies by a polynomial in the Gram matrix. The polynomials commute, so they are
    multiplied with one another, at the smaller side's size, and with the matrix only once: four times as fast here.
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
    """Momentum, orthogonalised; convolutions count as (outputs, inputs x kernel) matrices."""

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
        step = orthogonalised(rows).reshape(p.shape) * (0.2 * math.sqrt(max(rows.shape)))
        p.mul_(1 - group["lr"] * group["weight_decay"]).add_(step, alpha=-group["lr"])


def build_optimisers(network: nn.Module, loss: nn.Module, muon: bool = True) -> list[torch.optim.Optimizer]:
    """Muon for the inner matrices; AdamW for the stem, norms, biases and the loss's scale."""
    named = list(network.named_parameters()) + list(loss.named_parameters())
    matrices = [p for n, p in named if muon and p.ndim > 1 and not n.startswith("stem")]
    chosen = {id(p) for p in matrices}
    rest = [p for _, p in named if id(p) not in chosen]
    adam = torch.optim.AdamW(rest, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    if not matrices:
        return [adam]
    return [adam, Muon(matrices, LEARNING_RATE, momentum=0.95, weight_decay=0.1)]


def learning_rate(progress: float) -> float:
    """Linear warm-up, then flat, then down to nothing over the last three fifths; `progress` in 0..1."""
    if progress < WARM_UP:
        return LEARNING_RATE * max(progress / WARM_UP, 0.02)
    return LEARNING_RATE * max(min(1.0, (1 - progress) / 0.6), 0.002)


def set_learning_rate(optimisers: list[torch.optim.Optimizer], rate: float) -> None:
    """The same rate for all."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate
