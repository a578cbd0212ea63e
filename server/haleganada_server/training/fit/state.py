"""The state of a training: everything that changes in it, its best epoch, and when to stop.

Random numbers are not part of it: order and augmentation follow from (seed, epoch), and torch's own generator, which
dropout uses, is seeded from them at the start of each epoch. So an epoch that is repeated after an interruption gives
the same result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.common.precision import Precision

from .schedule import Plateau
from .settings import TrainingSettings


@dataclass
class TrainingState:
    """history: the epochs that are over. best: tensors of the best of them, on the CPU. best_epoch: 0 = none yet."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    precision: Precision = field(default_factory=Precision)
    plateau: Plateau = field(default_factory=Plateau)
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0

    @property
    def epoch(self) -> int:
        """Number of epochs that are over."""
        return len(self.history)

    def add_epoch(self, epoch: Epoch, has_validation: bool) -> None:
        """Record an epoch that is over. Without a validation part, the last state counts as the best."""
        self.history.append(epoch)
        if not has_validation or not self.best_epoch or _rank(epoch) > _rank(self.history[self.best_epoch - 1]):
            self.best, self.best_epoch = copy_tensors(self.network), epoch.epoch

    def is_over(self, settings: TrainingSettings) -> bool:
        """Return True after the last epoch, or after `patience` epochs without improvement."""
        out_of_patience = bool(settings.patience) and self.epoch - self.best_epoch >= settings.patience
        return self.epoch >= settings.epochs or out_of_patience


def _rank(epoch: Epoch) -> tuple[float, float]:
    return epoch.validation_accuracy, -epoch.validation_loss


def copy_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Copy a network's state to the CPU, in plain memory order."""
    return {k: v.detach().to("cpu", copy=True).contiguous() for k, v in network.state_dict().items()}


def build_optimizer(parameters: Iterable[nn.Parameter], settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return Adam or AdamW over what is not frozen, without weight decay for biases and the scales of norms."""
    trained = [p for p in parameters if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
    return kind(groups, lr=settings.learning_rate)
