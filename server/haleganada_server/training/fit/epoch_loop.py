"""What all training loops share: an epoch of steps, followed by a measurement on the validation part."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Precondition
from haleganada_server.core.jobs.job import Epoch

from .schedule import compute_cosine_factor
from .settings import TrainingSettings
from .state import TrainingState


@dataclass(frozen=True)
class TrainingHooks:
    """Callbacks of the loop. on_step: called after each step with its number, from 1 on, over all epochs."""

    on_step: Callable[[int], None]
    is_cancelled: Callable[[], bool]


class Diverged(Precondition):
    """The loss or a weight is no longer a finite number. The state of the epoch before is unharmed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Reason.DIVERGED)


class EpochLoop(ABC):
    """Trains a state, one epoch at a time. validation: items of the validation part, (n,), none if it is empty."""

    validation: NDArray[np.int64]

    def __init__(self, state: TrainingState, settings: TrainingSettings, hooks: TrainingHooks) -> None:
        self.state, self.settings, self.hooks = state, settings, hooks

    @property
    @abstractmethod
    def steps_per_epoch(self) -> int:
        """How often an epoch changes the weights."""

    @abstractmethod
    def _prepare_epoch(self, epoch: int) -> None:
        """Seed the network's own randomness, and let it train."""

    @abstractmethod
    def _train_epoch(self, epoch: int) -> tuple[float, float] | None:
        """Pass over the training part once. Returns mean loss and accuracy, as the network was at each step; None if
        the training was cancelled.
        """

    @abstractmethod
    def validate(self) -> tuple[float, float]:
        """Return mean loss and accuracy on the validation part; 0 and 0 if it is empty."""

    def _is_true_anywhere(self, own: bool) -> bool:
        """Return whether something is true in one of the processes that train together."""
        return own

    def run_epoch(self) -> Epoch | None:
        """Train for one epoch and measure it. Returns None if it was cancelled; the state is of no use then.

        Raises Diverged if the loss, or a weight, is no longer a finite number.
        """
        start, epoch = time.monotonic(), self.state.epoch + 1
        self._prepare_epoch(epoch)
        trained = self._train_epoch(epoch)
        if trained is None:
            return None
        loss, accuracy = trained
        validation_loss, validation_accuracy = self.validate()
        self._raise_if_diverged(epoch, loss, validation_loss)
        rate = self._get_learning_rate(epoch * self.steps_per_epoch - 1)
        self.state.plateau.update(validation_loss if len(self.validation) else loss)
        return Epoch(
            epoch=epoch,
            train_loss=loss,
            train_accuracy=accuracy,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            learning_rate=rate,
            seconds=time.monotonic() - start,
        )

    def _raise_if_diverged(self, epoch: int, *losses: float) -> None:
        """Raise Diverged, in every process, unless all numbers are finite.

        The weights are checked too: without a validation part, no loss shows the effect of the last step.
        """
        tensors = (tensor for tensor in self.state.network.state_dict().values() if tensor.is_floating_point())
        finite = all(map(math.isfinite, losses)) and all(bool(tensor.isfinite().all()) for tensor in tensors)
        if self._is_true_anywhere(not finite):
            raise Diverged(
                f"training diverged in epoch {epoch}: its loss is no longer a number; "
                "start it again with a lower learning rate"
            )

    def _get_learning_rate(self, step: int) -> float:
        if self.settings.schedule == "plateau":
            return self.settings.learning_rate * self.state.plateau.factor
        factor = compute_cosine_factor(step, self.steps_per_epoch, self.settings.epochs)
        return self.settings.learning_rate * factor
