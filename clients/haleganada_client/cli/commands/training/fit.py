"""fit: train a model on a data set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haleganada_client import limits
from haleganada_client.cli.exit_codes import ExitCode
from haleganada_client.cli.files.overwriting import overwrite_option, require_free
from haleganada_client.cli.files.png_path import PngPath
from haleganada_client.cli.files.settings_file import config_option
from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.cli.output.job_progress import describe_detached, watch_until_over
from haleganada_client.cli.output.training_report import format_training
from haleganada_client.cli.session import Session, with_session

from .dataset_lookup import find_or_make_starter_dataset, render_dataset, resolve_dataset

if TYPE_CHECKING:
    from haleganada_client.client import HaleganadaClient
    from haleganada_client.training.jobs import Job

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
            "help": "Stop after this many epochs without better accuracy; 0 for never.",
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
    (
        "--image-size",
        {
            "type": click.IntRange(*limits.IMAGE_SIZE_PX.bounds),
            "help": "Height and width of the network's input, in pixels.",
        },
    ),
    ("--workers", {"type": click.IntRange(*limits.WORKERS.bounds), "help": "How many threads to compute with."}),
    (
        "--rotation",
        {
            "type": click.FloatRange(*limits.ROTATION_DEGREES.bounds),
            "help": "Augment: rotate by at most this many degrees.",
        },
    ),
    (
        "--shift",
        {"type": click.FloatRange(*limits.SHIFT.bounds), "help": "Augment: shift by at most this share of the side."},
    ),
    (
        "--scale",
        {"type": click.FloatRange(*limits.SCALE.bounds), "help": "Augment: enlarge or shrink by at most this share."},
    ),
    (
        "--tilt",
        {"type": click.FloatRange(*limits.TILT.bounds), "help": "Augment: tilt, as if seen at an angle."},
    ),
    (
        "--bend",
        {"type": click.FloatRange(*limits.BEND.bounds), "help": "Augment: bend by at most this share of the side."},
    ),
    (
        "--ink",
        {"type": click.FloatRange(*limits.INK.bounds), "help": "Augment: make ink fainter or bolder by this share."},
    ),
    (
        "--class-weights",
        {
            "type": click.Choice(limits.CLASS_WEIGHTS),
            "help": "balanced gives all labels the same weight, however rare they are.",
        },
    ),
)
_NOT_TRAINED = "NOT_TRAINED"
_RENDERED_LINES = 4_000
_FIELDS = {"--image-size": "image_size_px", "--rotation": "rotation_degrees"}
"""The settings whose names have a unit, which the options leave to the help."""


def _add_settings(command: Any) -> Any:
    for flag, attributes in reversed(_SETTINGS):
        command = click.option(flag, *filter(None, [_FIELDS.get(flag)]), **attributes)(command)
    return command


@click.command("fit")
@click.argument("preset", default="")
@click.option("--data", "dataset", default="", metavar="NAME", help="The data set, by its id or name.")
@click.option("--starter", is_flag=True, help="Train on digits and small letters, the data set “starter”.")
@click.option(
    "--sources",
    type=_FOLDER,
    envvar="HALEGANADA_DATA",
    help="Where to find the drawings for “starter” if the server does not have it yet. This needs the train extra on "
    "this machine. [default: $HALEGANADA_DATA]",
)
@click.option(
    "--render",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="TEXT",
    help="Train on lines of this text, or of words in this list, that are drawn with --fonts. This needs the train "
    "extra on this machine.",
)
@click.option(
    "--lines",
    default=_RENDERED_LINES,
    show_default=True,
    type=click.IntRange(20),
    help="How many lines to draw with --render.",
)
@click.option(
    "--fonts",
    type=_FOLDER,
    help="For --render, a folder of fonts; for “starter”, one of @fontsource npm packages of handwriting fonts.",
)
@click.option("--name", default="", help="The model's name. [default: the preset's and the data set's]")
@click.option(
    "--from",
    "from_model",
    default="",
    metavar="MODEL",
    help="Start from this model, given by its id or unique name, instead of random weights. The preset is the model's.",
)
@click.option(
    "--more",
    "more_of",
    default="",
    metavar="JOB",
    help="Train the model of this finished job for --epochs more, on the same data with the same settings.",
)
@click.option("--detach", is_flag=True, help="Start the job and do not wait for it.")
@click.option(
    "--preview",
    type=PngPath(),
    metavar="FILE.png",
    help="Do not train; write a picture of drawings as the network would see them, augmented. The first column has the "
    "original drawings.",
)
@overwrite_option
@config_option
@_add_settings
@with_session
def fit_command(
    session: Session,
    preset: str,
    dataset: str,
    starter: bool,
    sources: Path | None,
    render: Path | None,
    lines: int,
    fonts: Path | None,
    name: str,
    from_model: str,
    more_of: str,
    detach: bool,
    preview: Path | None,
    overwrite: bool,
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
    haleganada fit --from starter --data mine --epochs 5
    haleganada fit --more JOB --epochs 10
    haleganada fit crnn --render text.txt --fonts /usr/share/fonts/truetype/noto
    """
    if more_of:
        _train_more(session, more_of, name, detach, settings)
        return
    if not preset and not from_model:
        raise click.UsageError("name a PRESET, or a model to start from with --from MODEL")
    if bool(dataset) + starter + (render is not None) != 1:
        raise click.UsageError("give either --data NAME, --render TEXT or --starter")
    if render is not None and fonts is None:
        raise click.UsageError("--render draws with fonts: give --fonts FOLDER, as /usr/share/fonts/truetype/noto")
    if preview is not None and settings["augment"] is False:
        raise click.UsageError(
            "--preview shows augmented drawings, and the originals in the first column: leave out --no-augment, and "
            'give --augment if the --config file has "augment": false'
        )
    require_free(preview, overwrite)
    if starter:
        with session.client() as client:
            dataset = find_or_make_starter_dataset(session, client, sources, fonts)
    if render is not None and fonts is not None:
        with session.client() as client:
            dataset = render_dataset(session, client, render, fonts, lines, settings["seed"] or 0)
    if preview is not None:
        _preview(session, preset, dataset, preview, settings["seed"] or 0)
    else:
        _train(session, preset, dataset, name, from_model, detach, settings)


def _train(
    session: Session, preset: str, dataset: str, name: str, from_model: str, detach: bool, settings: dict[str, Any]
) -> None:
    from haleganada_client.training.jobs import TrainingSettings

    with session.client() as client:
        chosen = TrainingSettings(**settings)
        job = client.jobs.start_training(
            preset, _resolve_and_warn(client, dataset), name=name, settings=chosen, from_model=from_model
        )
        _follow(session, client, job, detach)


def _train_more(session: Session, job_id: str, name: str, detach: bool, settings: dict[str, Any]) -> None:
    """Train the model of a finished job further."""
    given = [flag for flag, value in settings.items() if value is not None and flag != "epochs"]
    if settings["epochs"] is None or given:
        raise click.UsageError("--more takes no setting but --epochs N: the others are those of the job")
    with session.client() as client:
        _follow(session, client, client.jobs.train_more(job_id, settings["epochs"], name=name), detach)


def _follow(session: Session, client: HaleganadaClient, job: Job, detach: bool) -> None:
    """Watch a job to its end unless it is left alone, and say what came of it."""
    if not detach:
        job = watch_until_over(session, client, job)
    session.show(job, describe_detached(session, job) if detach else format_training(session, job))
    if not detach and job.state.value != "succeeded":
        sys.exit(ExitCode.FAILURE)


def _resolve_and_warn(client: HaleganadaClient, dataset: str) -> str:
    """Return the id of a data set, and say on stderr which of its labels cannot be learned."""
    found = client.datasets.get(resolve_dataset(client, dataset))
    for note in found.notes:
        if note.reason == _NOT_TRAINED:
            click.echo(f"note: {printable(note.message)}", err=True)
    return found.dataset_id


def _preview(session: Session, preset: str, dataset: str, path: Path, seed: int) -> None:
    with session.client() as client:
        found = client.datasets.get(resolve_dataset(client, dataset))
        preview = client.datasets.preview(found.dataset_id, preset, seed=seed)
    path.write_bytes(preview.sheet)
    side, is_lines = preview.input_size_px, found.kind == "lines"
    items = format_count(len(preview.labels), "line" if is_lines else "drawing")
    size = f"{side} px high" if is_lines else f"{side} x {side} px"
    text = f"wrote {path}: {items}, each {size}, as {preset} would see them"
    session.show({"file": str(path), "labels": preview.labels, "input_size_px": side}, text)
