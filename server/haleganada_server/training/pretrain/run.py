"""One training run of the embedder, from open data to a weights folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.training.common.checkpoint import State, read_tensors
from haleganada_server.training.common.process_group import ALONE, ProcessGroup
from haleganada_server.training.pretrain.network import EmbedderNetwork, NetworkShape, build_network, load_network
from haleganada_server.training.pretrain.release.finish import Run, finish
from haleganada_server.training.pretrain.synthesis.batches import BatchShape, background_batches, inline_batches
from haleganada_server.training.pretrain.synthesis.library import Folders, load_library
from haleganada_server.training.pretrain.synthesis.sources import load_omniglot

from .averaging import average_networks
from .distillation import Teacher, load_teacher
from .loop import BEST_FILE, Budget, LoopOptions, Trainer, new_state, new_student_state
from .validation import frame_held_out

RUN_FOLDER = "run"
"""Subfolder of a weights folder for checkpoints and traced material, which is not shipped."""


@dataclass(frozen=True)
class Plan:
    """What to train."""

    shape: NetworkShape
    budget: Budget
    seed: int = 0
    teacher: Path | None = None
    """Weights folder of a network to start from and to imitate at first."""
    first_checkpoint: Path | None = None
    """Weights folder of an earlier checkpoint of the same run, to average with."""


@dataclass(frozen=True)
class Machine:
    """Where to train. device: as torch names it. renderers: processes that render drawings."""

    device: str = "cpu"
    renderers: int = 1
    resume: bool = True
    """Whether to resume from the checkpoint in the weights folder, if there is one."""
    group: ProcessGroup = ALONE
    """The processes that train together, each with batches and renderers of its own."""


def train_embedder(plan: Plan, machine: Machine, folders: Folders, out: Path, log: Callable[[str], None]) -> None:
    """Train and write a weights folder: network, head, calibration and cards.

    A run that was killed resumes from its checkpoint. Raises ValueError if that has another seed, or if
    first_checkpoint has another shape; Precondition if there is no network in a weights folder that the plan names.
    """
    run_folder, group = out / RUN_FOLDER, machine.group
    run_folder.mkdir(parents=True, exist_ok=True)
    if group.count > 1:
        _trace_once(folders, group)
    batch = BatchShape(side=plan.shape.side)
    teacher = load_teacher(plan.teacher, plan.shape, machine.device) if plan.teacher else None
    earlier = load_network(plan.first_checkpoint) if plan.first_checkpoint else None
    trainer = Trainer(
        _new_state(plan, teacher, batch, folders, machine.device),
        LoopOptions(run_folder, plan.budget, plan.seed, machine.resume),
        frame_held_out(load_omniglot(folders.data), batch.side),
        log,
        teacher,
        group,
    )
    trainer.run(
        lambda step: background_batches(
            folders, batch, plan.seed, step * group.count + group.rank, machine.renderers, group.count
        )
    )
    if not group.is_first:
        return
    progress = trainer.state.progress
    drawings = progress.step * group.count * batch.ways * batch.drawings
    run = Run(
        seed=plan.seed,
        steps=progress.best_step,
        minutes=progress.seconds / 60,
        drawings=drawings,
        teacher=plan.teacher,
        averaged=plan.first_checkpoint,
    )
    finish(_load_best(plan.shape, run_folder, earlier), run, folders, out, log)


def _trace_once(folders: Folders, group: ProcessGroup) -> None:
    """Let the first process trace the material, which is kept in a folder, before the others load it."""
    if group.is_first:
        load_library(folders)
    group.wait()


def _new_state(plan: Plan, teacher: Teacher | None, batch: BatchShape, folders: Folders, device: str) -> State:
    """Return a state with random weights, or with the teacher's strongest channels on the run's first batch."""
    if teacher is None:
        return new_state(plan.seed, plan.shape, device)
    with closing(inline_batches(load_library(folders), batch, plan.seed, 0)) as batches:
        return new_student_state(plan.seed, teacher, plan.shape.width, next(batches), device)


def _load_best(shape: NetworkShape, run_folder: Path, earlier: EmbedderNetwork | None) -> EmbedderNetwork:
    """Return the run's best network, averaged with an earlier one if there is one."""
    network = build_network(shape)
    network.load_state_dict(read_tensors(run_folder / BEST_FILE)[0])
    if earlier is None:
        return network
    mean: EmbedderNetwork = average_networks(network, earlier)
    return mean
