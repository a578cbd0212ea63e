"""The training loop: epochs of steps, each followed by a measurement on the validation part.

A step changes the weights once. Its gradients are those of one large batch even where that is computed as several
micro-batches (accumulation) or in several processes: each micro-batch is weighted by its number of drawings.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.training.common.augment import draw_random_numbers, mix_seed
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.common.training_data import TrainingData
from haleganada_server.training.presets import measure_features

from .batches import BatchSampler, MicroBatch
from .epoch_loop import EpochLoop, TrainingHooks
from .settings import TrainingSettings
from .state import TrainingState

EVALUATION_BATCH = 256
"""Drawings in a batch without gradients, which takes less memory than training on it."""


class TrainingLoop(EpochLoop):
    """Trains a state on a data set of drawings."""

    def __init__(
        self,
        *,
        state: TrainingState,
        data: TrainingData,
        settings: TrainingSettings,
        ink: InkInput,
        group: ProcessGroup,
        head: Iterable[nn.Parameter],
        hooks: TrainingHooks,
    ) -> None:
        """head: the parameters that alone are trained in the first `frozen_epochs`."""
        super().__init__(state, settings, hooks)
        self.data, self.ink, self.group = data, ink, group
        self.train, self.validation = data.part(Part.TRAIN), data.part(Part.VALIDATION)
        self.sampler = BatchSampler(len(self.train), settings.batch_size, settings.accumulation, group.count)
        self._trainable = [p for p in state.network.parameters() if p.requires_grad]
        self._head = {id(p) for p in head}
        self._is_frozen: bool | None = None
        self._wrapped = state.network
        balanced = settings.class_weights == "balanced"
        self._label_weights = weigh_labels(data.targets(self.train), len(data.labels)) if balanced else None

    @property
    def steps_per_epoch(self) -> int:
        return self.sampler.steps_per_epoch

    def _prepare_epoch(self, epoch: int) -> None:
        """Seed the network's own randomness, freeze or unfreeze layers, and put frozen ones into evaluation mode."""
        torch.manual_seed(mix_seed(self.settings.seed, epoch, self.group.rank))
        network, is_frozen = self.state.network, epoch <= self.settings.frozen_epochs
        for parameter in self._trainable:
            parameter.requires_grad_(not is_frozen or id(parameter) in self._head)
        network.train()
        for module in network.modules():
            parameters = list(module.parameters())
            if parameters and not any(p.requires_grad for p in parameters):
                module.eval()
        if is_frozen != self._is_frozen:
            self._is_frozen, self._wrapped = is_frozen, self.group.wrap(network)

    def _train_epoch(self, epoch: int) -> tuple[float, float] | None:
        """Pass over the training part once. Returns mean loss and accuracy, as the network was at each step."""
        drawn = draw_random_numbers(len(self.train), self.settings.seed, epoch) if self.settings.augment else None
        totals = torch.zeros(2, device=self.group.device)
        for number, micro_batches in enumerate(self.sampler.sample_epoch(self.settings.seed, epoch)):
            step = (epoch - 1) * self.steps_per_epoch + number
            totals += self._take_step(micro_batches, drawn, self._get_learning_rate(step))
            self.hooks.on_step(step + 1)
            if self._is_true_anywhere(self.hooks.is_cancelled()):
                return None
        loss, correct = self.group.sum(totals.tolist())
        return loss / len(self.train), correct / len(self.train)

    def _take_step(self, micro_batches: list[MicroBatch], drawn: Tensor | None, rate: float) -> Tensor:
        """Change the weights once. Returns the sum of losses and the number of correct predictions, (2,)."""
        for param_group in self.state.optimizer.param_groups:
            param_group["lr"] = rate
        self.state.optimizer.zero_grad()
        own = micro_batches[self.group.rank :: self.group.count]
        # Gradients are averaged over the processes, hence the count.
        weight = self.group.count / sum(len(micro_batch) for micro_batch in micro_batches)
        totals = torch.zeros(2, device=self.group.device)
        for micro_batch in own[:-1]:
            with self._wrapped.no_sync() if self.group.count > 1 else contextlib.nullcontext():  # type: ignore[operator]
                totals += self._accumulate_gradients(micro_batch, drawn, weight)
        totals += self._accumulate_gradients(own[-1], drawn, weight)
        self.state.precision.step(self.state.optimizer)
        return totals

    def _accumulate_gradients(self, micro_batch: MicroBatch, drawn: Tensor | None, weight: float) -> Tensor:
        """Add a micro-batch's gradients. Returns its sum of losses and number of correct predictions, (2,)."""
        items = self.train[micro_batch]
        ink = self.ink(self.data.rasters(items), None if drawn is None else drawn[torch.from_numpy(micro_batch)])
        targets = torch.from_numpy(self.data.targets(items)).to(self.group.device)
        with self.state.precision.autocast():
            logits = self._wrapped(ink).float()
        weights = None if self._label_weights is None else self._label_weights.to(logits.device)
        loss = functional.cross_entropy(logits, targets, weights, reduction="sum")
        self.state.precision.backward(loss * weight)
        return torch.stack((loss.detach(), (logits.argmax(1) == targets).sum()))

    def validate(self) -> tuple[float, float]:
        """Return mean loss and accuracy on the validation part; 0 and 0 if it is empty."""
        items = self.validation
        if not len(items):
            return 0.0, 0.0
        self.group.broadcast_buffers(self.state.network)
        own = items[self.group.rank :: self.group.count]
        logits = compute_logits(self.state.network, self.ink, self.data, own)
        targets = torch.from_numpy(self.data.targets(own))
        loss = functional.cross_entropy(logits, targets, reduction="sum")
        total, correct = self.group.sum((float(loss), float((logits.argmax(1) == targets).sum())))
        return total / len(items), correct / len(items)

    def _is_true_anywhere(self, own: bool) -> bool:
        return self.group.any(own)


def weigh_labels(targets: NDArray[np.int64], labels: int) -> Tensor:
    """Return what a drawing of each label counts, (labels,), so that all labels count the same, and a drawing 1 on
    average. A label without drawings counts 0.
    """
    counts = np.bincount(targets, minlength=labels)
    shares = np.divide(1.0, counts, out=np.zeros(labels), where=counts > 0)
    return torch.from_numpy((shares * len(targets) / (counts > 0).sum()).astype(np.float32))


def compute_logits(network: nn.Module, ink: InkInput, data: TrainingData, items: NDArray[np.int64]) -> Tensor:
    """Return the logits of items, not augmented, as in prediction: (n, classes) float32, on the CPU."""
    return measure_items(network, ink, data, items)[0]


@torch.no_grad()
def measure_items(
    network: nn.Module, ink: InkInput, data: TrainingData, items: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Return the logits and the features of items, not augmented: (n, classes) and (n, width) float32, on the CPU."""
    network.eval()
    batches = [items[i : i + EVALUATION_BATCH] for i in range(0, len(items), EVALUATION_BATCH)]
    measured = [measure_features(network, ink(data.rasters(batch))) for batch in batches]
    if not measured:
        return torch.zeros(0, len(data.labels)), torch.zeros(0, 1)
    logits, features = zip(*measured, strict=True)
    return torch.cat(logits).float().cpu(), torch.cat(features).float().cpu()
