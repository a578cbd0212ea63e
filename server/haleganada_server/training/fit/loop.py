"""Fitting a network to a data set: epochs of steps, each followed by a measurement on the validation part.

A step is one change of the weights. Its gradients are those of one large batch, also when its drawings are computed in
several pieces one after another (accumulation) or in several processes: every piece counts by its number of drawings.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import Precondition
from haleganada_server.core.jobs.job import Epoch
from haleganada_server.training.common.augment import draw_random_numbers, mix_seed
from haleganada_server.training.common.ink_input import InkInput
from haleganada_server.training.common.training_data import TrainingData

from .order import Order, Piece
from .processes import Processes
from .schedule import cosine
from .settings import FitSettings
from .state import FitState

MEASURED_AT_ONCE = 256
"""Drawings in a batch that is only measured, which takes less memory than training on it."""


@dataclass(frozen=True)
class FitHooks:
    """What the loop tells, and asks. stepped: after each step, its number from 1 on, over all epochs."""

    stepped: Callable[[int], None]
    cancelled: Callable[[], bool]


class Diverged(Precondition):
    """A training whose numbers are none any more; what it had reached before is unharmed."""

    reason = "DIVERGED"


class FitLoop:
    """Trains a state on a data set, one epoch at a time."""

    def __init__(
        self, state: FitState, data: TrainingData, settings: FitSettings, ink: InkInput, processes: Processes,
        head: Iterable[nn.Parameter], hooks: FitHooks,
    ):  # fmt: skip
        """`head`: the parameters that are trained alone in the first `frozen_epochs`."""
        self.state, self.data, self.settings, self.ink = state, data, settings, ink
        self.processes, self.hooks = processes, hooks
        self.train, self.validation = data.part(Part.TRAIN), data.part(Part.VALIDATION)
        self.order = Order(len(self.train), settings.batch_size, settings.accumulation, processes.count)
        self._trained = [p for p in state.network.parameters() if p.requires_grad]
        self._head = {id(p) for p in head}
        self._phase: bool | None = None
        self._wrapped = state.network

    def run_epoch(self) -> Epoch | None:
        """Train through one epoch and measure it; None if it was cancelled on the way, the state being of no use then.

        Raises Diverged if a loss, or a weight, is no longer a finite number.
        """
        start, epoch = time.monotonic(), self.state.epoch + 1
        self._begin(epoch)
        trained = self._train(epoch)
        if trained is None:
            return None
        loss, accuracy = trained
        validation_loss, validation_accuracy = self._validate()
        self._require_numbers(epoch, loss, validation_loss)
        rate = self._rate(epoch * self.order.steps - 1)
        self.state.plateau.heed(validation_loss if len(self.validation) else loss)
        seconds = time.monotonic() - start
        return Epoch(epoch, loss, accuracy, validation_loss, validation_accuracy, rate, seconds)

    def _begin(self, epoch: int) -> None:
        """Seed what is random inside the network; freeze or thaw; put what is frozen into the mode of prediction."""
        torch.manual_seed(mix_seed(self.settings.seed, epoch, self.processes.rank))
        network, frozen = self.state.network, epoch <= self.settings.frozen_epochs
        for parameter in self._trained:
            parameter.requires_grad_(not frozen or id(parameter) in self._head)
        network.train()
        for module in network.modules():
            parameters = list(module.parameters())
            if parameters and not any(p.requires_grad for p in parameters):
                module.eval()
        if frozen != self._phase:
            self._phase, self._wrapped = frozen, self.processes.wrapped(network)

    def _train(self, epoch: int) -> tuple[float, float] | None:
        """One pass over the training part -> mean loss and accuracy, as the network was at each step."""
        drawn = draw_random_numbers(len(self.train), self.settings.seed, epoch) if self.settings.augment else None
        totals = torch.zeros(2, device=self.processes.device)
        for number, pieces in enumerate(self.order.epoch(self.settings.seed, epoch)):
            step = (epoch - 1) * self.order.steps + number
            totals += self._step(pieces, drawn, self._rate(step))
            self.hooks.stepped(step + 1)
            if self.processes.any(self.hooks.cancelled()):
                return None
        loss, correct = self.processes.sums(totals.tolist())
        return loss / len(self.train), correct / len(self.train)

    def _step(self, pieces: list[Piece], drawn: Tensor | None, rate: float) -> Tensor:
        """Change the weights once; the sum of losses and the number of right answers, (2,)."""
        for group in self.state.optimiser.param_groups:
            group["lr"] = rate
        self.state.optimiser.zero_grad()
        mine = pieces[self.processes.rank :: self.processes.count]
        weight = self.processes.count / sum(len(piece) for piece in pieces)  # processes' gradients are averaged
        totals = torch.zeros(2, device=self.processes.device)
        for piece in mine[:-1]:
            with self._wrapped.no_sync() if self.processes.count > 1 else contextlib.nullcontext():  # type: ignore[operator]
                totals += self._piece(piece, drawn, weight)
        totals += self._piece(mine[-1], drawn, weight)
        self.state.precision.step(self.state.optimiser)
        return totals

    def _piece(self, piece: Piece, drawn: Tensor | None, weight: float) -> Tensor:
        """Add a piece's gradients; its sum of losses and number of right answers, (2,)."""
        items = self.train[piece]
        ink = self.ink(self.data.rasters(items), None if drawn is None else drawn[torch.from_numpy(piece)])
        targets = torch.from_numpy(self.data.targets(items)).to(self.processes.device)
        with self.state.precision.autocast():
            logits = self._wrapped(ink).float()
        loss = functional.cross_entropy(logits, targets, reduction="sum")
        self.state.precision.backward(loss * weight)
        return torch.stack((loss.detach(), (logits.argmax(1) == targets).sum()))

    def _validate(self) -> tuple[float, float]:
        """Mean loss and accuracy on the validation part; 0 and 0 if it is empty."""
        items = self.validation
        if not len(items):
            return 0.0, 0.0
        self.processes.share_buffers(self.state.network)
        mine = items[self.processes.rank :: self.processes.count]
        logits = measure(self.state.network, self.ink, self.data, mine)
        targets = torch.from_numpy(self.data.targets(mine))
        loss = functional.cross_entropy(logits, targets, reduction="sum")
        here = (float(loss), float((logits.argmax(1) == targets).sum()))
        total, correct = self.processes.sums(here)
        return total / len(items), correct / len(items)

    def _require_numbers(self, epoch: int, *losses: float) -> None:
        """Losses tell of the steps before the last one, and of a validation part if there is one; so weights are
        looked at, too. Raises Diverged, in every process.
        """
        state = (tensor for tensor in self.state.network.state_dict().values() if tensor.is_floating_point())
        sound = all(map(math.isfinite, losses)) and all(bool(tensor.isfinite().all()) for tensor in state)
        if self.processes.any(not sound):
            raise Diverged(
                f"training broke down in epoch {epoch}: its loss is no longer a number; "
                "start it again with a lower learning rate"
            )

    def _rate(self, step: int) -> float:
        if self.settings.schedule == "plateau":
            return self.settings.learning_rate * self.state.plateau.share
        return self.settings.learning_rate * cosine(step, self.order.steps, self.settings.epochs)


@torch.no_grad()
def measure(network: nn.Module, ink: InkInput, data: TrainingData, items: NDArray[np.int64]) -> Tensor:
    """The logits of items, not augmented, as in prediction: (n, classes) float32, on the CPU."""
    network.eval()
    batches = [items[i : i + MEASURED_AT_ONCE] for i in range(0, len(items), MEASURED_AT_ONCE)]
    logits = [network(ink(data.rasters(batch))).float().cpu() for batch in batches]
    return torch.cat(logits) if logits else torch.zeros(0, len(data.labels))
