"""`haleganada pretrain`: from open data to weights, head, calibration and model card."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import click
import torch

from haleganada_server.config import ServerConfig
from haleganada_server.runtime.network import NetworkShape, build_network, load_network
from haleganada_server.training.averaging import averaged
from haleganada_server.training.batches import BatchShape, background_batches, inline_batches
from haleganada_server.training.card import other_inputs
from haleganada_server.training.checkpoint import State, read_tensors
from haleganada_server.training.distil import Teacher, load_teacher
from haleganada_server.training.evaluate import held_out_rasters
from haleganada_server.training.finish import Run, finish
from haleganada_server.training.library import Folders, load_library
from haleganada_server.training.loop import BEST_FILE, Budget, LoopOptions, Trainer, narrow_state, new_state
from haleganada_server.training.sources import load_omniglot

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
RUN_FOLDER = "run"
"""Inside the output folder: checkpoints and traced material, not to be shipped."""


@click.command()
@click.option(
    "--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True,
    help="Folder with omniglot/ and, if present, english_chars62/ and the sets used for measuring.",
)  # fmt: skip
@click.option("--hanzi", type=_FOLDER, help="Unpacked hanzi-writer-data: JSON files with stroke medians.")
@click.option("--fonts", type=_FOLDER, help="Folder with open fonts, such as /usr/share/fonts/truetype.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where weights and cards are written.")
@click.option("--minutes", type=float, default=60.0, show_default=True, help="Time to train, over all sittings.")
@click.option("--steps", type=int, help="Train a fixed number of steps instead: the same seed, the same weights.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume/--fresh", default=True, show_default=True, help="Go on from the checkpoint in --out, or not.")
@click.option("--threads", type=int, help="Threads that torch uses; one for each core by default.")
@click.option("--device", default="cpu", show_default=True, help="Where to train: cpu, or cuda with a GPU.")
@click.option(
    "--renderers", type=click.IntRange(1), default=1, show_default=True, help="Processes that draw; a GPU wants ten."
)
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
def pretrain(
    data: Path,
    hanzi: Path | None,
    fonts: Path | None,
    out: Path,
    minutes: float,
    steps: int | None,
    seed: int,
    resume: bool,
    threads: int | None,
    device: str,
    renderers: int,
    width: int,
    side: str,
    teacher: Path | None,
    average_with: Path | None,
) -> None:
    """Train the embedder on open data and write its weights, head, calibration and model card."""
    torch.set_num_threads(threads or os.cpu_count() or 1)
    run_folder = out / RUN_FOLDER
    run_folder.mkdir(parents=True, exist_ok=True)
    folders = Folders(data, hanzi, fonts, run_folder / "cache")
    shape, started = BatchShape(side=int(side)), time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - started:7.0f} s  {text}")

    for difference in other_inputs(data, ServerConfig(out).weights_dir / "card.json"):
        say(f"unlike for the shipped weights, {difference}: figures will differ")
    options = LoopOptions(run_folder, Budget(steps, minutes), seed, resume)
    wide = load_teacher(teacher, device) if teacher else None
    if wide:
        state = _narrow_state(wide, width, shape, folders, seed, device)
    else:
        state = new_state(seed, NetworkShape(shape.side, width), device)
    trainer = Trainer(state, options, held_out_rasters(load_omniglot(data), shape.side), say, wide)
    trainer.run(lambda first: background_batches(folders, shape, seed, first, renderers))
    network = build_network(state.network.shape)
    network.load_state_dict(read_tensors(run_folder / BEST_FILE)[0])
    if average_with:
        network = averaged(network, load_network(average_with / "embedder.safetensors"))
    progress = trainer.state.progress
    drawings = progress.step * shape.ways * shape.drawings
    run = Run(seed, progress.best_step, progress.seconds / 60, drawings, teacher, average_with)
    finish(network, run, folders, out, say)


def _narrow_state(teacher: Teacher, width: int, shape: BatchShape, folders: Folders, seed: int, device: str) -> State:
    """Of a network that starts as a part of the teacher, judged by the run's first batch."""
    with closing(inline_batches(load_library(folders), shape, seed, 0)) as batches:
        return narrow_state(seed, teacher, width, next(batches), device)


if __name__ == "__main__":
    pretrain()
