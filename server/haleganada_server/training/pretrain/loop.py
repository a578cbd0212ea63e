"""The training loop: runs for a budget of minutes or steps, writes checkpoints, and keeps the best average.

The exported network is an exponential moving average of the weights (Polyak and Juditsky 1992), chosen by its one-shot
error on held-out alphabets.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from haleganada_server.training.common.checkpoint import Progress, State, load_state, save_state, write_tensors
from haleganada_server.training.common.precision import Precision, fast_dtype
from haleganada_server.training.common.process_group import ALONE, ProcessGroup
from haleganada_server.training.pretrain.network import NetworkShape, build_network
from haleganada_server.training.pretrain.synthesis.batches import BatchStream
from haleganada_server.training.pretrain.synthesis.rasters import Raster

from .distillation import STUDENT_RATE, Teacher, narrow_network
from .loss import PairwiseOneShotLoss
from .optimizer import build_optimizers, learning_rate, set_learning_rate
from .validation import embed_alphabets, one_shot_error

AVERAGE_HORIZON = 400
"""Steps over which the exported weights are averaged."""
TIE = 0.005
"""Difference of one-shot errors that counts as a tie: two standard errors of 12,000 answers. Of ties, the later
checkpoint is kept, which was trained at the lower rate.
"""
STATE_FILE = "state.safetensors"
BEST_FILE = "best.safetensors"
Batches = Callable[[int], BatchStream]
"""Returns the batches from a first step on."""


@dataclass(frozen=True)
class Budget:
    """How long to train: a number of steps, which is deterministic, or minutes."""

    steps: int | None = None
    minutes: float = 60.0

    def share_done(self, progress: Progress) -> float:
        """Return the share of the run that is over, in 0..1."""
        if self.steps is not None:
            return min(1.0, progress.step / max(self.steps, 1))
        return min(1.0, progress.seconds / (60 * self.minutes))


@dataclass(frozen=True)
class LoopOptions:
    """Settings of a run that do not affect its result."""

    out: Path
    budget: Budget
    seed: int = 0
    resume: bool = True
    report_every: int = 50
    evaluate_seconds: float = 360.0
    """Time between evaluations under a budget of minutes."""
    evaluate_steps: int = 500
    """Steps between evaluations under a budget of steps."""


def new_state(seed: int, shape: NetworkShape | None = None, device: str = "cpu") -> State:
    """Return network, average, loss and optimizers at step 0. device: as torch names it."""
    network = build_network(shape, seed).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    loss = PairwiseOneShotLoss().to(device)
    return State(network, copy.deepcopy(network).eval(), loss, build_optimizers(network, loss), Progress(seed=seed))


def new_student_state(seed: int, teacher: Teacher, width: int, batch: NDArray[np.uint8], device: str = "cpu") -> State:
    """Return a new state whose network starts from the teacher's strongest channels.

    batch: (ways, drawings, side, side), sample drawings to measure activations with; the network takes their side.
    """
    side = batch.shape[-1]
    state = new_state(seed, replace(teacher.network.shape, width=width, side=side), device)
    sample = _prepare_ink(batch, next(teacher.network.parameters()).device)
    network = narrow_network(teacher.network, width, side, sample)
    for part in (state.network, state.average):
        part.load_state_dict(network.state_dict())
    return state


def train_step(
    state: State,
    batch: NDArray[np.uint8],
    rate: float,
    teacher: Teacher | None = None,
    done: float = 0.0,
    group: ProcessGroup = ALONE,
) -> float:
    """Update once on a batch (ways, drawings, side, side); return the one-shot loss. done: see imitation_loss. group:
    processes that each have a batch of their own, and make the same update.
    """
    device = next(state.network.parameters()).device
    ink = _prepare_ink(batch, device)
    with Precision(fast_dtype(device), device.type).autocast():
        embeddings = state.network(ink)
        imitation = teacher.imitation_loss(ink, embeddings, done) if teacher else None
    loss = state.loss(embeddings.view(*batch.shape[:2], -1))
    set_learning_rate(state.optimizers, rate)
    for optimizer in state.optimizers:
        optimizer.zero_grad()
    (loss if imitation is None else loss + imitation).backward()
    group.average_gradients([*state.network.parameters(), *state.loss.parameters()])
    for optimizer in state.optimizers:
        optimizer.step()
    state.progress.step += 1
    update_average(state.average, state.network, state.progress.step)
    return float(loss.detach())


def _prepare_ink(batch: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """Convert (ways, drawings, side, side) uint8 to (ways x drawings, 1, side, side) in 0..1, channels last."""
    ink = torch.from_numpy(batch.reshape(-1, 1, *batch.shape[2:])).to(device).float().div_(255)
    return ink.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, step: int) -> None:
    """Move the average toward the network, quickly at first, while the network is still poor."""
    weight = max(1 / AVERAGE_HORIZON, 1 / (1 + step / 5))
    for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, weight)
        else:
            old.copy_(new)


class Trainer:
    """Trains a state until its budget is used up."""

    def __init__(
        self, state: State, options: LoopOptions, held_out: dict[str, Raster], log: Callable[[str], None],
        teacher: Teacher | None = None, group: ProcessGroup = ALONE,
    ):  # fmt: skip
        """held_out: alphabet -> (characters, writers, side, side); if empty, the last weights are kept unmeasured.
        group: of the processes that train together, of which the first evaluates and writes.
        """
        self.state, self.options, self.held_out, self.log, self.teacher = state, options, held_out, log, teacher
        self._group = group
        self._clock = time.monotonic()
        self._evaluated = 0.0

    def run(self, batches: Batches) -> None:
        """Train until the budget is used up, from the checkpoint if there is one to resume.

        Raises ValueError if the checkpoint has another seed, or not all processes have it.
        """
        path = self.options.out / STATE_FILE
        progress = self.state.progress
        if self.options.resume and path.exists():
            load_state(self.state, path)
            if progress.seed != self.options.seed:
                raise ValueError(f"the checkpoint has seed {progress.seed}; use that seed, or start over with --fresh")
            self.log(f"resumed at step {progress.step}, {progress.seconds / 60:.1f} minutes in")
        if self._group.any(self._group.take_first(progress.step) != progress.step):
            raise ValueError("not all processes see the same checkpoint; give an --out that all machines share")
        self._evaluated = progress.seconds
        losses: list[float] = []
        self._clock = time.monotonic()
        with contextlib.closing(batches(progress.step)) as iterator:
            while (done := self.options.budget.share_done(progress)) < 1:
                rate = learning_rate(done) * (STUDENT_RATE if self.teacher else 1)
                losses.append(train_step(self.state, next(iterator), rate, self.teacher, done, self._group))
                self._tick()
                if progress.step % self.options.report_every == 0:
                    self._report(losses)
                    losses = []
                if self._is_evaluation_due():
                    self.evaluate_and_save()
        self.evaluate_and_save()

    def evaluate_and_save(self) -> None:
        """Evaluate the average, keep it if it is the best, and write a checkpoint."""
        if self._group.is_first:
            self._evaluate()
        self._tick()
        self._evaluated = self.state.progress.seconds
        if self._group.is_first:
            save_state(self.state, self.options.out / STATE_FILE)

    def _evaluate(self) -> None:
        progress, out = self.state.progress, self.options.out
        if self.held_out:
            error = one_shot_error(embed_alphabets(self.state.average, self.held_out))
            self.log(f"step {progress.step}: held-out one-shot error {100 * error:.2f} %")
            if error <= progress.best_error + TIE or not (out / BEST_FILE).exists():
                progress.best_error, progress.best_step = min(error, progress.best_error), progress.step
                self._write_best(out / BEST_FILE)
        else:
            self._write_best(out / BEST_FILE)

    def _write_best(self, path: Path) -> None:
        write_tensors(path, dict(self.state.average.state_dict()), {"step": str(self.state.progress.step)})

    def _is_evaluation_due(self) -> bool:
        if self.options.budget.steps is not None:
            return self.state.progress.step % self.options.evaluate_steps == 0
        return self.state.progress.seconds - self._evaluated > self.options.evaluate_seconds

    def _tick(self) -> None:
        """Add the time since the last call to the run's training time, by the clock of the first process."""
        now, progress = time.monotonic(), self.state.progress
        progress.seconds = self._group.take_first(progress.seconds + now - self._clock)
        self._clock = now

    def _report(self, losses: list[float]) -> None:
        progress = self.state.progress
        done = self.options.budget.share_done(progress)
        left = progress.seconds * (1 - done) / max(done, 1e-6) / 60
        loss = np.mean(losses)
        self.log(f"step {progress.step}  loss {loss:.3f}  {100 * done:.1f} % done, about {left:.0f} minutes left")
