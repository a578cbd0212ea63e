"""Everything that changes in a training, and what decides its course: the best epoch, and when to stop.

Random numbers are no part of it: order and augmentation follow from (seed, epoch), and torch's own generator, which
dropout uses, is seeded anew from them when an epoch begins. So an epoch that is repeated after a break is the same one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.common.precision import Precision

from .schedule import Plateau
from .settings import FitSettings


@dataclass
class FitState:
    """history: of the epochs that are over. best: tensors of the best of them, on the CPU; best_epoch 0 = none yet."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    precision: Precision = field(default_factory=Precision)
    plateau: Plateau = field(default_factory=Plateau)
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0

    @property
    def epoch(self) -> int:
        """How many are over."""
        return len(self.history)

    def add(self, epoch: Epoch, validated: bool) -> None:
        """An epoch is over. validated: there is a validation part; without one the last state counts as the best."""
        self.history.append(epoch)
        if not validated or not self.best_epoch or _rank(epoch) > _rank(self.history[self.best_epoch - 1]):
            self.best, self.best_epoch = plain_tensors(self.network), epoch.epoch

    def over(self, settings: FitSettings) -> bool:
        """True after the last epoch, or after `patience` epochs that were no better."""
        patient = not settings.patience or self.epoch - self.best_epoch < settings.patience
        return self.epoch >= settings.epochs or not patient


def _rank(epoch: Epoch) -> tuple[float, float]:
    return epoch.validation_accuracy, -epoch.validation_loss


def plain_tensors(network: nn.Module) -> dict[str, Tensor]:
    """A copy of a network's state on the CPU, in plain memory order."""
    return {k: v.detach().to("cpu", copy=True).contiguous() for k, v in network.state_dict().items()}


def build_optimiser(parameters: Iterable[nn.Parameter], settings: FitSettings) -> torch.optim.Optimizer:
    """Adam or AdamW over what is not frozen; biases and the scales of norms do not decay."""
    trained = [p for p in parameters if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
    return kind(groups, lr=settings.learning_rate)
