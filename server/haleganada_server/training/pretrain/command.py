"""`haleganada pretrain`: reproduce the shipped weights, or train another embedder, from open data."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import click
import torch

from haleganada_server.config import ServerConfig
from haleganada_server.core.errors import Precondition
from haleganada_server.training.common.process_exit import exit_process
from haleganada_server.training.common.process_group import ProcessGroup, join_process_group
from haleganada_server.training.pretrain.network import NetworkShape
from haleganada_server.training.pretrain.release.card import find_changed_inputs, find_changed_sources, list_sources
from haleganada_server.training.pretrain.synthesis.library import Folders

from .loop import Budget
from .run import RUN_FOLDER, Machine, Plan, train_embedder
from .stages import SHIPPED, run_stages, total_hours

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_MOST_DIFFERENCES_LOGGED = 5
_SINGLE_RUN_OPTIONS = ("seed", "width", "side", "teacher", "average_with")


@click.command()
@click.option(
    "--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True,
    help="Folder with omniglot/ and, optionally, english_chars62/ and the evaluation sets.",
)  # fmt: skip
@click.option("--hanzi", type=_FOLDER, help="Folder with hanzi-writer-data, unpacked: JSON files with stroke medians.")
@click.option("--fonts", type=_FOLDER, help="Folder with open fonts, for example /usr/share/fonts/truetype.")
@click.option(
    "--symbols", type=_FOLDER,
    help="Folder with strokes.npz of the Detexify database: further hands, and characters that differ in a small mark.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for weights and model card.")
@click.option("--resume/--fresh", default=True, show_default=True, help="Resume from --out, or start over.")
@click.option("--threads", type=int, help="Threads for torch. [default: one per core]")
@click.option("--device", default="cpu", show_default=True, help="Device to train on: cpu, or cuda for a GPU.")
@click.option(
    "--renderers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes that render training drawings; use about ten with a GPU.",
)
@click.option("--minutes", type=float, help="Train a single network for this many minutes, over all sessions.")
@click.option("--steps", type=int, help="Train a single network for this many steps, reproducibly.")
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed.")
@click.option("--width", type=int, default=NetworkShape().width, show_default=True, help="Channels after the stem.")
@click.option(
    "--side", type=click.Choice(["64", "80", "96"]), default=str(NetworkShape().side), show_default=True,
    help="Side of the network's square input, in pixels.",
)  # fmt: skip
@click.option(
    "--teacher",
    type=_FOLDER,
    help="Weights folder of a wider network: start from its strongest channels and imitate it for the first half.",
)
@click.option(
    "--average-with",
    type=_FOLDER,
    help="Weights folder of an earlier checkpoint of the same run, or of the network that it starts from: write the "
    "mean of both.",
)
@click.pass_context
def pretrain(
    context: click.Context,
    data: Path,
    hanzi: Path | None,
    fonts: Path | None,
    symbols: Path | None,
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
    r"""Train the embedder on open data and write its weights, head, calibration and model card.

    By default this reproduces the shipped weights: five training runs in sequence, about eight and a half hours on two
    cores. Run the same command again to resume after an interruption. With --minutes or --steps it trains a single
    network of your own instead; --seed, --width, --side, --teacher and --average-with apply only then.

    torchrun starts several processes, on one machine or several, that train such a network together:

    \b
    torchrun --standalone --nproc-per-node 2 -m haleganada_server.training.pretrain.command --steps 8000 …
    """
    torch.set_num_threads(threads or os.cpu_count() or 1)
    folders = Folders(data, hanzi, fonts, out / RUN_FOLDER / "cache", symbols)
    with join_process_group() as group:
        machine = Machine(device if group.count == 1 else str(group.device), renderers, resume, group)
        log = _start_log(group.is_first)
        _log_differences(folders, log)
        if minutes is None and steps is None:
            _reject_single_run_options(context, group)
            log(f"reproducing the shipped weights: {len(SHIPPED)} runs, {total_hours(SHIPPED):.1f} hours on two cores")
            run_stages(SHIPPED, machine, folders, out, log)
            return
        budget = Budget(steps) if minutes is None else Budget(steps, minutes)
        plan = Plan(NetworkShape(int(side), width), budget, seed, teacher, average_with)
        try:
            train_embedder(plan, machine, folders, out, log)
        except Precondition as error:
            raise click.ClickException(error.message) from error


def _start_log(is_first: bool) -> Callable[[str], None]:
    """Return a function that prints a line with the seconds since now; of several processes, the first one does."""
    started = time.monotonic()
    if not is_first:
        return lambda _text: None
    return lambda text: click.echo(f"{time.monotonic() - started:7.0f} s  {text}")


def _log_differences(folders: Folders, log: Callable[[str], None]) -> None:
    """Log how the inputs differ from those of the shipped weights."""
    card = json.loads((ServerConfig(Path()).weights_dir / "card.json").read_text(encoding="utf-8"))
    found = list_sources(folders.data, folders.hanzi, folders.fonts, folders.symbols)
    changed = find_changed_inputs(card["training"], folders.data, folders.symbols)
    differences = changed + find_changed_sources(card["training"], found)
    for difference in differences[:_MOST_DIFFERENCES_LOGGED]:
        log(f"inputs differ from those of the shipped weights: {difference}; metrics will differ")
    if len(differences) > _MOST_DIFFERENCES_LOGGED:
        log(f"and {len(differences) - _MOST_DIFFERENCES_LOGGED} more differences")


def _reject_single_run_options(context: click.Context, group: ProcessGroup) -> None:
    """Raise UsageError if options of a single network are given without --minutes or --steps, or several processes are
    to reproduce what one has trained.
    """
    if group.count > 1:
        raise click.UsageError("one process reproduces the shipped weights; add --minutes or --steps to train your own")
    default = click.core.ParameterSource.DEFAULT
    given = [name for name in _SINGLE_RUN_OPTIONS if context.get_parameter_source(name) != default]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise click.UsageError(f"{options} applies to a single network; add --minutes or --steps to train one")


if __name__ == "__main__":
    try:
        pretrain()
    except SystemExit as end:
        exit_process(end.code if isinstance(end.code, int) else 1)
