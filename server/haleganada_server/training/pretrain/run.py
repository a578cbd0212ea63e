"""One training of the embedder, from open data to a weights folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from haleganada_server.runtime.network import EmbedderNetwork, NetworkShape, build_network, load_network
from haleganada_server.training.common.checkpoint import State, read_tensors
from haleganada_server.training.pretrain.release.finish import Run, finish
from haleganada_server.training.pretrain.synthesis.batches import BatchShape, background_batches, inline_batches
from haleganada_server.training.pretrain.synthesis.library import Folders, load_library
from haleganada_server.training.pretrain.synthesis.sources import load_omniglot

from .averaging import averaged
from .distillation import Teacher, load_teacher
from .loop import BEST_FILE, Budget, LoopOptions, Trainer, narrow_state, new_state
from .validation import held_out_rasters

RUN_FOLDER = "run"
"""Inside a weights folder: checkpoints and traced material, not to be shipped."""


@dataclass(frozen=True)
class Plan:
    """What is trained."""

    shape: NetworkShape
    budget: Budget
    seed: int = 0
    teacher: Path | None = None
    """Weights folder of a network to start as, and to imitate at first."""
    first_end: Path | None = None
    """Weights folder of an earlier end of the same run: the mean of both is written."""


@dataclass(frozen=True)
class Machine:
    """Where it is trained. device: as torch names it; renderers: processes that draw."""

    device: str = "cpu"
    renderers: int = 1
    resume: bool = True
    """Go on from the checkpoint in the weights folder, if there is one."""


def train_embedder(plan: Plan, machine: Machine, folders: Folders, out: Path, say: Callable[[str], None]) -> None:
    """Write a weights folder: network, head, calibration and cards.

    A run that was killed goes on from its checkpoint. Raises ValueError if that is of another seed, or if first_end is
    of another shape.
    """
    run_folder = out / RUN_FOLDER
    run_folder.mkdir(parents=True, exist_ok=True)
    batch = BatchShape(side=plan.shape.side)
    teacher = load_teacher(plan.teacher, machine.device) if plan.teacher else None
    trainer = Trainer(
        _first_state(plan, teacher, batch, folders, machine.device),
        LoopOptions(run_folder, plan.budget, plan.seed, machine.resume),
        held_out_rasters(load_omniglot(folders.data), batch.side),
        say,
        teacher,
    )
    trainer.run(lambda first: background_batches(folders, batch, plan.seed, first, machine.renderers))
    progress = trainer.state.progress
    drawings = progress.step * batch.ways * batch.drawings
    run = Run(plan.seed, progress.best_step, progress.seconds / 60, drawings, plan.teacher, plan.first_end)
    finish(_best(plan, run_folder), run, folders, out, say)


def _first_state(plan: Plan, teacher: Teacher | None, batch: BatchShape, folders: Folders, device: str) -> State:
    """Of a network that knows nothing, or of a part of the teacher, judged by the run's first batch."""
    if teacher is None:
        return new_state(plan.seed, plan.shape, device)
    with closing(inline_batches(load_library(folders), batch, plan.seed, 0)) as batches:
        return narrow_state(plan.seed, teacher, plan.shape.width, next(batches), device)


def _best(plan: Plan, run_folder: Path) -> EmbedderNetwork:
    network = build_network(plan.shape)
    network.load_state_dict(read_tensors(run_folder / BEST_FILE)[0])
    if plan.first_end is None:
        return network
    mean: EmbedderNetwork = averaged(network, load_network(plan.first_end / "embedder.safetensors"))
    return mean
