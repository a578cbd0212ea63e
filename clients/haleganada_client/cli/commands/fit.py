"""fit: train a model on a data set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from haleganada_client import limits
from haleganada_client.cli.dataset_lookup import find_or_make_starter_dataset, resolve_dataset
from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.png_path import PngPath
from haleganada_client.cli.files.settings_file import config_option
from haleganada_client.cli.formatting import format_count
from haleganada_client.cli.output.job_progress import describe_detached, watch_until_over
from haleganada_client.cli.output.training_report import format_training
from haleganada_client.cli.session import Session, with_session

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--epochs", {"type": click.IntRange(*limits.EPOCHS.bounds), "help": "Passes over the training part."}),
    ("--batch-size", {"type": click.IntRange(*limits.BATCH_SIZE.bounds), "help": "Drawings per step."}),
    (
        "--learning-rate",
        {
            "type": click.FloatRange(*limits.LEARNING_RATE.bounds, min_open=limits.LEARNING_RATE.open),
            "help": "The highest learning rate.",
        },
    ),
    (
        "--weight-decay",
        {"type": click.FloatRange(*limits.WEIGHT_DECAY.bounds), "help": "The weight decay; 0 for none."},
    ),
    ("--optimizer", {"type": click.Choice(limits.OPTIMIZERS), "help": "The optimizer."}),
    ("--schedule", {"type": click.Choice(limits.SCHEDULES), "help": "How the learning rate decreases."}),
    (
        "--patience",
        {
            "type": click.IntRange(*limits.PATIENCE.bounds),
            "help": "Stop after so many epochs without better accuracy; 0 for never.",
        },
    ),
    (
        "--accumulation",
        {
            "type": click.IntRange(*limits.ACCUMULATION.bounds),
            "help": "Steps whose gradients are added up before an update.",
        },
    ),
    (
        "--mixed-precision/--no-mixed-precision",
        {"default": None, "help": "Compute in 16 bits: faster on GPUs, and on CPUs with bfloat16 instructions."},
    ),
    (
        "--frozen-epochs",
        {
            "type": click.IntRange(*limits.FROZEN_EPOCHS.bounds),
            "help": "Epochs that train only the last layers of a pretrained network.",
        },
    ),
    ("--augment/--no-augment", {"default": None, "help": "Rotate, shift, stretch and bend the drawings."}),
    (
        "--seed",
        {"type": click.IntRange(*limits.SEED.bounds), "help": "The random seed of weights, order and augmentation."},
    ),
    (
        "--checkpoint-every",
        {"type": click.IntRange(*limits.CHECKPOINT_EVERY.bounds), "help": "Epochs between checkpoints."},
    ),
    ("--tensorboard/--no-tensorboard", {"default": None, "help": "Also write event files for TensorBoard."}),
)


def _add_settings(command: Any) -> Any:
    for flag, attributes in reversed(_SETTINGS):
        command = click.option(flag, **attributes)(command)
    return command


@click.command("fit")
@click.argument("preset")
@click.option("--data", "dataset", default="", metavar="NAME", help="The data set, by its id or name.")
@click.option("--starter", is_flag=True, help="Train on digits and small letters, the data set “starter”.")
@click.option(
    "--sources",
    type=_FOLDER,
    envvar="HALEGANADA_DATA",
    help="Where to find the drawings for “starter” if the server does not have it yet. This needs the train extra on "
    "this machine. [default: $HALEGANADA_DATA]",
)
@click.option("--fonts", type=_FOLDER, help="A folder of @fontsource npm packages of handwriting fonts for “starter”.")
@click.option("--name", default="", help="The model's name. [default: the preset's and the data set's]")
@click.option("--detach", is_flag=True, help="Start the job and do not wait for it.")
@click.option(
    "--preview",
    type=PngPath(),
    metavar="FILE.png",
    help="Do not train; write a picture of drawings as the network would see them, augmented. The first column has the "
    "original drawings.",
)
@config_option
@_add_settings
@with_session
def fit_command(
    session: Session,
    preset: str,
    dataset: str,
    starter: bool,
    sources: Path | None,
    fonts: Path | None,
    name: str,
    detach: bool,
    preview: Path | None,
    **settings: Any,
) -> None:
    """Train a model of PRESET on a data set. `haleganada models presets` lists the presets and their default settings.

    Ctrl+C asks whether to cancel the job or to let it continue on the server. The exit code is 1 if the training failed
    or was cancelled.

    \b
    haleganada fit cnn36 --data digits
    haleganada fit resnet18 --data letters --epochs 30 --detach
    haleganada fit cnn36 --data letters --config settings.json --seed 2
    haleganada fit cnn36 --starter --sources FOLDER
    """
    if bool(dataset) == starter:
        raise click.UsageError("give either --data NAME or --starter")
    if preview is not None and settings["augment"] is False:
        raise click.UsageError(
            "--preview shows augmented drawings, and the originals in the first column: leave out --no-augment, and "
            'give --augment if the --config file has "augment": false'
        )
    if starter:
        with session.client() as client:
            dataset = find_or_make_starter_dataset(client, sources, fonts)
    if preview is not None:
        _preview(session, preset, dataset, preview, settings["seed"] or 0)
    else:
        _train(session, preset, dataset, name, detach, settings)


def _train(session: Session, preset: str, dataset: str, name: str, detach: bool, settings: dict[str, Any]) -> None:
    from haleganada_client.jobs import TrainingSettings

    with session.client() as client:
        dataset_id = resolve_dataset(client, dataset)
        job = client.jobs.start_training(preset, dataset_id, name=name, settings=TrainingSettings(**settings))
        if not detach:
            job = watch_until_over(session, client, job)
    session.show(job, describe_detached(session, job) if detach else format_training(session, job))
    if not detach and job.state.value != "succeeded":
        sys.exit(ExitCode.FAILURE)


def _preview(session: Session, preset: str, dataset: str, path: Path, seed: int) -> None:
    with session.client() as client:
        preview = client.datasets.preview(resolve_dataset(client, dataset), preset, seed=seed)
    path.write_bytes(preview.sheet)
    drawings, side = format_count(len(preview.labels), "drawing"), preview.input_size_px
    text = f"wrote {path}: {drawings}, each {side} x {side} px, as {preset} would see them"
    session.show({"file": str(path), "labels": preview.labels, "input_size_px": side}, text)
