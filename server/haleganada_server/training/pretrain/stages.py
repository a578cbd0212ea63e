"""The training runs behind the shipped weights, in sequence: each network is the teacher of the next.

Budgets are in steps, so the same seeds, files and library versions give the same weights again. The shipped weights
themselves were trained with budgets of minutes, and the widest network's drawings changed on the way (see the card).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from haleganada_server.training.common.checkpoint import read_progress
from haleganada_server.training.pretrain.network import NetworkShape
from haleganada_server.training.pretrain.release.card import WEIGHTS_FILES
from haleganada_server.training.pretrain.synthesis.library import Folders

from .loop import BEST_FILE, STATE_FILE, Budget
from .run import RUN_FOLDER, Machine, Plan, train_embedder


@dataclass(frozen=True)
class Stage:
    """One run. steps: in total, those of first_checkpoint included. minutes: that it took on two cores."""

    name: str
    shape: NetworkShape
    seed: int
    steps: int
    minutes: int
    teacher: str = ""
    first_checkpoint: str = ""
    """Stage whose checkpoint it continues, at a high learning rate again; the result is the mean of both."""


_WIDE, _NARROW, _LARGE = NetworkShape(64, 32), NetworkShape(64, 24), NetworkShape(80, 24)
SHIPPED = (
    Stage("wide", _WIDE, 0, 11_649, 180),
    Stage("narrow-first", _NARROW, 1, 8_517, 80, teacher="wide"),
    Stage("narrow", _NARROW, 1, 13_507, 86, teacher="wide", first_checkpoint="narrow-first"),
    Stage("large-first", _LARGE, 4, 2_833, 75, teacher="narrow"),
    Stage("large", _LARGE, 4, 7_798, 85, teacher="narrow", first_checkpoint="large-first"),
)


def run_stages(
    stages: Sequence[Stage], machine: Machine, folders: Folders, out: Path, log: Callable[[str], None]
) -> None:
    """Train the stages in order and write the last one's weights to `out`. Each stage has a folder in `out`/run.

    Finished stages are skipped and interrupted ones resumed, unless machine.resume is False.
    """
    own = {stage.name: out / RUN_FOLDER / stage.name for stage in stages}
    if not machine.resume:
        for folder in own.values():
            _delete_results(folder)
    for number, stage in enumerate(stages, 1):
        log(f"{number} of {len(stages)}: {stage.name}, {stage.shape.width} channels, {stage.shape.side} px")
        if _is_done(stage, own[stage.name]):
            log("already done")
        else:
            _train(stage, own, replace(machine, resume=True), folders, log)
    for name in WEIGHTS_FILES:
        shutil.copyfile(own[stages[-1].name] / name, out / name)


def total_hours(stages: Sequence[Stage]) -> float:
    """Return the hours that all stages take on two cores."""
    return sum(stage.minutes for stage in stages) / 60


def _is_done(stage: Stage, folder: Path) -> bool:
    checkpoint = folder / RUN_FOLDER / STATE_FILE
    return (folder / WEIGHTS_FILES[-1]).exists() and read_progress(checkpoint).step >= stage.steps


def _delete_results(folder: Path) -> None:
    for name in (*WEIGHTS_FILES, f"{RUN_FOLDER}/{STATE_FILE}", f"{RUN_FOLDER}/{BEST_FILE}"):
        (folder / name).unlink(missing_ok=True)


def _train(
    stage: Stage, own: Mapping[str, Path], machine: Machine, folders: Folders, log: Callable[[str], None]
) -> None:
    teacher, first_checkpoint = (own[name] if name else None for name in (stage.teacher, stage.first_checkpoint))
    if first_checkpoint is not None:
        _copy_checkpoint(first_checkpoint / RUN_FOLDER, own[stage.name] / RUN_FOLDER)
    plan = Plan(stage.shape, Budget(stage.steps), stage.seed, teacher, first_checkpoint)
    train_embedder(plan, machine, folders, own[stage.name], log)


def _copy_checkpoint(first_checkpoint: Path, run_folder: Path) -> None:
    """Copy the checkpoint to continue from, unless the run already has one of its own."""
    if (run_folder / STATE_FILE).exists():
        return
    run_folder.mkdir(parents=True, exist_ok=True)
    for name in (BEST_FILE, STATE_FILE):
        draft = run_folder / f"{name}.tmp"
        shutil.copyfile(first_checkpoint / name, draft)
        draft.replace(run_folder / name)
