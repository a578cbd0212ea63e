"""fit: train a model on a data set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client import limits
from haleganada_client.cli.files.dataset_lookup import dataset_named
from haleganada_client.cli.files.png_file import PngFile
from haleganada_client.cli.files.settings_file import config_option
from haleganada_client.cli.files.starter_dataset import starter_dataset
from haleganada_client.cli.layout import counted, percent, printable
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.text.job_bar import duration, followed, goes_on

if TYPE_CHECKING:
    from haleganada_client.jobs import Job, TrainingJob

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--epochs", {"type": click.IntRange(*limits.EPOCHS.bounds), "help": "Passes over the training part."}),
    ("--batch-size", {"type": click.IntRange(*limits.BATCH_SIZE.bounds), "help": "Drawings in one step."}),
    (
        "--learning-rate",
        {
            "type": click.FloatRange(*limits.LEARNING_RATE.bounds, min_open=limits.LEARNING_RATE.open),
            "help": "The highest one.",
        },
    ),
    ("--weight-decay", {"type": click.FloatRange(*limits.WEIGHT_DECAY.bounds), "help": "0 = none."}),
    ("--optimizer", {"type": click.Choice(limits.OPTIMIZERS), "help": "Optimizer."}),
    ("--schedule", {"type": click.Choice(limits.SCHEDULES), "help": "How the learning rate falls."}),
    (
        "--patience",
        {
            "type": click.IntRange(*limits.PATIENCE.bounds),
            "help": "Epochs without better accuracy, then end; 0 = never.",
        },
    ),
    (
        "--accumulation",
        {"type": click.IntRange(*limits.ACCUMULATION.bounds), "help": "Steps whose gradients are added up."},
    ),
    (
        "--mixed-precision/--no-mixed-precision",
        {
            "default": None,
            "help": "Compute in 16 bits: usual on GPUs, and faster on processors with bfloat16 instructions.",
        },
    ),
    (
        "--frozen-epochs",
        {"type": click.IntRange(*limits.FROZEN_EPOCHS.bounds), "help": "With only a pretrained network's last layers."},
    ),
    ("--augment/--no-augment", {"default": None, "help": "Turn, shift, stretch and bend the drawings."}),
    ("--seed", {"type": click.IntRange(*limits.SEED.bounds), "help": "Of weights, order and augmentation."}),
    (
        "--checkpoint-every",
        {"type": click.IntRange(*limits.CHECKPOINT_EVERY.bounds), "help": "Epochs between two checkpoints."},
    ),
    ("--tensorboard/--no-tensorboard", {"default": None, "help": "Write event files too."}),
)


def _with_settings(command: Any) -> Any:
    for flag, more in reversed(_OPTIONS):
        command = click.option(flag, **more)(command)
    return command


@click.command("fit")
@click.argument("preset")
@click.option("--data", "dataset", default="", metavar="NAME", help="The data set: its id, or its name.")
@click.option("--starter", is_flag=True, help="Digits and small letters instead, as the data set “starter”.")
@click.option(
    "--sources",
    type=_FOLDER,
    envvar="HALEGANADA_DATA",
    help="Of what to make “starter” if the server has none, which takes 'haleganada[train]' on this machine, too.",
)
@click.option("--fonts", type=_FOLDER, help="npm's @fontsource packages of handwriting fonts, for “starter”, too.")
@click.option("--name", default="", help="What people will call the model. [default: the preset's and the data set's]")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@click.option(
    "--preview",
    type=PngFile(),
    metavar="FILE.png",
    help="Train nothing; draw what the network would see, augmented, with each drawing's own in the first column. Each "
    "pixel becomes a square, and labels stand beside the rows.",
)
@config_option
@_with_settings
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
    """Train PRESET on a data set; `haleganada models presets` lists what there is, and its settings.

    Exit code 1 if the training failed or was cancelled. Ctrl+C lets it go on, or cancels it, as you choose.

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
            "--preview shows each drawing as it is, too, in the first column; leave --no-augment away there, and give "
            '--augment where the --config file has "augment": false'
        )
    if starter:
        with session.client() as client:
            dataset = starter_dataset(client, sources, fonts)
    if preview is not None:
        _preview(session, preset, dataset, preview, settings["seed"] or 0)
    else:
        _train(session, preset, dataset, name, detach, settings)


def _train(session: Session, preset: str, dataset: str, name: str, detach: bool, settings: dict[str, Any]) -> None:
    from haleganada_client.jobs import TrainingSettings

    with session.client() as client:
        data = dataset_named(client, dataset)
        job = client.jobs.start_training(preset, data, name=name, settings=TrainingSettings(**settings))
        if not detach:
            job = followed(session, client, job)
    session.show(job, goes_on(session, job) if detach else trained(session, job))
    if not detach and job.state.value != "succeeded":
        sys.exit(1)


def _preview(session: Session, preset: str, dataset: str, target: Path, seed: int) -> None:
    with session.client() as client:
        found = client.datasets.preview(dataset_named(client, dataset), preset, seed=seed)
    target.write_bytes(found.sheet)
    side = found.input_size_px
    shown = f"{counted(len(found.labels), 'drawing')}, each {side} x {side} px, as {preset} would see them"
    session.show({"file": str(target), "labels": found.labels, "input_size_px": side}, f"wrote {target}: {shown}")


def trained(session: Session, job: Job) -> str:
    """How a training ended, in a few lines."""
    training = job.training
    assert training is not None, "it is the job of a training"
    lines = [_outcome(job, training)]
    if epochs := training.epochs:
        best = max(epochs, key=lambda epoch: (epoch.validation_accuracy, -epoch.validation_loss))
        took = f"{counted(len(epochs), 'epoch')} in {duration(sum(epoch.duration_seconds for epoch in epochs))}"
        validated = best.validation_accuracy or best.validation_loss  # else there is no validation part
        right = f"best: {percent(best.validation_accuracy)} of the validation part, epoch {best.epoch}; "
        lines.append(f"{right if validated else ''}{took}")
    if model_id := training.model_id:
        lines.append(f"`{session.command_line('predict', '--model', model_id, 'drawing.png')}` asks it")
        lines.append(f"`{session.command_line('evaluate', model_id, '--data', training.dataset_id)}` measures it")
    if job.files:
        fetch = session.command_line("jobs", "files", job.job_id, "--to", "FOLDER")
        lines.append(f"`{fetch}` fetches its curves and other files")
    return "\n".join(lines)


def _outcome(job: Job, training: TrainingJob) -> str:
    name = printable(training.model_name)
    if job.state.value == "failed":
        return f"the training of {name} failed ({job.error_reason}): {printable(job.error)}"
    kept = f"model {training.model_id}" if training.model_id else "no model"
    if job.state.value == "cancelled":
        return f"the training of {name} was cancelled; {kept} was kept"
    return f"trained {name}: {kept}"
