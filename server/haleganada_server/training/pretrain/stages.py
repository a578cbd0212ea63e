"""The trainings that led to the shipped weights, one after another: each network taught the next one.

Steps, not minutes, bound them, so the same seeds, files and versions of the libraries give the same weights again. The
shipped ones themselves were trained by the clock, and the widest one's drawings changed on the way (its model card).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from haleganada_server.runtime.network import NetworkShape
from haleganada_server.training.common.checkpoint import read_progress
from haleganada_server.training.pretrain.release.card import WEIGHTS_FILES
from haleganada_server.training.pretrain.synthesis.library import Folders

from .loop import BEST_FILE, STATE_FILE, Budget
from .run import RUN_FOLDER, Machine, Plan, train_embedder


@dataclass(frozen=True)
class Stage:
    """One training. steps: from its beginning, the first end's included. minutes: that it took on two cores."""

    name: str
    shape: NetworkShape
    seed: int
    steps: int
    minutes: int
    teacher: str = ""
    first_end: str = ""
    """The stage that it goes on from, the learning rate high once more; the mean of both ends is kept."""


_WIDE, _NARROW, _LARGE = NetworkShape(64, 32), NetworkShape(64, 24), NetworkShape(80, 24)
SHIPPED = (
    Stage("wide", _WIDE, 0, 11_649, 180),
    Stage("narrow-first-end", _NARROW, 1, 8_517, 80, teacher="wide"),
    Stage("narrow", _NARROW, 1, 13_507, 86, teacher="wide", first_end="narrow-first-end"),
    Stage("large-first-end", _LARGE, 4, 2_833, 75, teacher="narrow"),
    Stage("large", _LARGE, 4, 7_798, 85, teacher="narrow", first_end="large-first-end"),
)


def follow(stages: Sequence[Stage], machine: Machine, folders: Folders, out: Path, say: Callable[[str], None]) -> None:
    """Write the last stage's weights to `out`; each stage's own folder lies below its run folder.

    A stage that is done is not trained again, and one that was killed goes on, unless the machine's resume is False.
    """
    own = {stage.name: out / RUN_FOLDER / stage.name for stage in stages}
    if not machine.resume:
        for folder in own.values():
            _forget(folder)
    for number, stage in enumerate(stages, 1):
        say(f"{number} of {len(stages)}: {stage.name}, {stage.shape.width} channels, {stage.shape.side} px")
        if _done(stage, own[stage.name]):
            say("done before")
        else:
            _train(stage, own, replace(machine, resume=True), folders, say)
    for name in WEIGHTS_FILES:
        shutil.copyfile(own[stages[-1].name] / name, out / name)


def hours(stages: Sequence[Stage]) -> float:
    """That they took together, on two cores."""
    return sum(stage.minutes for stage in stages) / 60


def _done(stage: Stage, folder: Path) -> bool:
    checkpoint = folder / RUN_FOLDER / STATE_FILE
    return (folder / WEIGHTS_FILES[-1]).exists() and read_progress(checkpoint).step >= stage.steps


def _forget(folder: Path) -> None:
    for name in (*WEIGHTS_FILES, f"{RUN_FOLDER}/{STATE_FILE}", f"{RUN_FOLDER}/{BEST_FILE}"):
        (folder / name).unlink(missing_ok=True)


def _train(
    stage: Stage, own: Mapping[str, Path], machine: Machine, folders: Folders, say: Callable[[str], None]
) -> None:
    teacher, first_end = (own[name] if name else None for name in (stage.teacher, stage.first_end))
    if first_end is not None:
        _go_on_from(first_end / RUN_FOLDER, own[stage.name] / RUN_FOLDER)
    plan = Plan(stage.shape, Budget(stage.steps), stage.seed, teacher, first_end)
    train_embedder(plan, machine, folders, own[stage.name], say)


def _go_on_from(first_end: Path, run_folder: Path) -> None:
    """Begin with its checkpoint, unless there is a later one already."""
    if (run_folder / STATE_FILE).exists():
        return
    run_folder.mkdir(parents=True, exist_ok=True)
    for name in (BEST_FILE, STATE_FILE):
        draft = run_folder / f"{name}.tmp"
        shutil.copyfile(first_end / name, draft)
        draft.replace(run_folder / name)
