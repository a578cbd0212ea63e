"""`haleganada pretrain`: the shipped weights anew, or another embedder, from open data."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import click
import torch

from haleganada_server.config import ServerConfig
from haleganada_server.runtime.network import NetworkShape
from haleganada_server.training.pretrain.release.card import other_inputs, other_sources, training_sources
from haleganada_server.training.pretrain.synthesis.library import Folders

from .loop import Budget
from .run import RUN_FOLDER, Machine, Plan, train_embedder
from .stages import SHIPPED, follow, hours

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_MOST_TOLD = 5
_OF_ONE_RUN = ("seed", "width", "side", "teacher", "average_with")


@click.command()
@click.option(
    "--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True,
    help="Folder with omniglot/ and, if present, english_chars62/ and the sets used for measuring.",
)  # fmt: skip
@click.option("--hanzi", type=_FOLDER, help="Unpacked hanzi-writer-data: JSON files with stroke medians.")
@click.option("--fonts", type=_FOLDER, help="Folder with open fonts, such as /usr/share/fonts/truetype.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where weights and cards are written.")
@click.option("--resume/--fresh", default=True, show_default=True, help="Go on from the checkpoint in --out, or not.")
@click.option("--threads", type=int, help="Threads that torch uses; one for each core by default.")
@click.option("--device", default="cpu", show_default=True, help="Where to train: cpu, or cuda with a GPU.")
@click.option(
    "--renderers", type=click.IntRange(1), default=1, show_default=True, help="Processes that draw; a GPU wants ten."
)
@click.option("--minutes", type=float, help="Train one network of your own for so long, over all sittings.")
@click.option("--steps", type=int, help="Train one for so many steps: the same seed, the same weights.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of one network.")
@click.option("--width", type=int, default=NetworkShape().width, show_default=True, help="Channels after the stem.")
@click.option(
    "--side", type=click.Choice(["64", "80", "96"]), default=str(NetworkShape().side), show_default=True,
    help="Height and width of the ink that the network sees, in pixels.",
)  # fmt: skip
@click.option(
    "--teacher", type=_FOLDER, help="Weights of a wider network: start as its strongest channels, imitate it at first."
)
@click.option(
    "--average-with", type=_FOLDER, help="Weights of an earlier end of the same run: write the mean of both networks."
)
@click.pass_context
def pretrain(
    context: click.Context,
    data: Path,
    hanzi: Path | None,
    fonts: Path | None,
    out: Path,
    resume: bool,
    threads: int | None,
    device: str,
    renderers: int,
    minutes: float | None,
    steps: int | None,
    seed: int,
    width: int,
    side: str,
    teacher: Path | None,
    average_with: Path | None,
) -> None:
    """Train the embedder on open data and write its weights, head, calibration and model card.

    Without further options the shipped weights are made anew: five trainings, one after another, about eight and a half
    hours on two cores. Whenever it is interrupted, the same command goes on. With --minutes or --steps it trains one
    network of your own.
    """
    torch.set_num_threads(threads or os.cpu_count() or 1)
    machine = Machine(device, renderers, resume)
    folders = Folders(data, hanzi, fonts, out / RUN_FOLDER / "cache")
    say = _clocked()
    _tell_differences(folders, say)
    if minutes is None and steps is None:
        _require_no_plan(context)
        say(f"the shipped weights anew: {len(SHIPPED)} trainings, {hours(SHIPPED):.1f} hours on two cores")
        follow(SHIPPED, machine, folders, out, say)
    else:
        budget = Budget(steps) if minutes is None else Budget(steps, minutes)
        plan = Plan(NetworkShape(int(side), width), budget, seed, teacher, average_with)
        train_embedder(plan, machine, folders, out, say)


def _clocked() -> Callable[[str], None]:
    started = time.monotonic()
    return lambda text: click.echo(f"{time.monotonic() - started:7.0f} s  {text}")


def _tell_differences(folders: Folders, say: Callable[[str], None]) -> None:
    """What is not as it was for the shipped weights."""
    card = json.loads((ServerConfig(Path()).weights_dir / "card.json").read_text(encoding="utf-8"))
    found = training_sources(folders.data, folders.hanzi, folders.fonts)
    differences = other_inputs(card["training"], folders.data) + other_sources(card["training"], found)
    for difference in differences[:_MOST_TOLD]:
        say(f"unlike for the shipped weights, {difference}: figures will differ")
    if len(differences) > _MOST_TOLD:
        say(f"and {len(differences) - _MOST_TOLD} more that are missing, other or too many")


def _require_no_plan(context: click.Context) -> None:
    given = [name for name in _OF_ONE_RUN if context.get_parameter_source(name) != click.core.ParameterSource.DEFAULT]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise click.UsageError(
            f"{options} is for one network of your own; say with --minutes or --steps how long to train it"
        )


if __name__ == "__main__":
    pretrain()
