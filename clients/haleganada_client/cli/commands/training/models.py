"""models: models that were trained on data sets, and which one a workspace uses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from haleganada_client import limits
from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.files.overwriting import overwrite_option, require_free
from haleganada_client.cli.formatting import format_count, format_size, printable
from haleganada_client.cli.output.export_report import format_export_report
from haleganada_client.cli.output.model_report import format_model, format_models, format_presets
from haleganada_client.cli.output.online_learning import model_names
from haleganada_client.cli.session import Session, to_json, with_session
from haleganada_client.types import OnlineSettings


@click.group("models", cls=DefaultGroup)
def models_command() -> None:
    """List trained models (ls, the default); show, use, export or delete one; list what can be trained."""


@models_command.command("ls")
@with_session
def list_models(session: Session) -> None:
    """List models, newest first. The list begins with few-shot, each workspace's own head."""
    with session.client() as client:
        models = client.models.list()
    session.show(models, format_models(models))


@models_command.command("show")
@click.argument("model")
@with_session
def show_model(session: Session, model: str) -> None:
    """Show MODEL, given by its id or unique name."""
    with session.client() as client:
        found = client.models.get(model)
    session.show(found, format_model(found))


@models_command.command("presets")
@with_session
def list_presets(session: Session) -> None:
    """List the presets that `haleganada fit` can train."""
    with session.client() as client:
        presets = client.models.presets()
    session.show(presets, format_presets(presets))


@models_command.command("delete")
@click.argument("model")
@click.option("--confirm", metavar="NAME", help="The model's name again, to confirm without being asked.")
@with_session
def delete_model(session: Session, model: str, confirm: str | None) -> None:
    """Delete MODEL permanently. No workspace may be using it."""
    with session.client() as client:
        found = client.models.get(model)
        name = printable(found.name)
        typed = confirm or session.ask(f"This deletes the model permanently. Type its name, {name}, to continue")
        if typed != found.name:
            raise click.UsageError("that is not the model's name; nothing was deleted")
        client.models.delete(found.model_id)
    session.show({"deleted": found.model_id}, f"deleted {name} ({found.model_id})")


@models_command.command("export")
@click.argument("model")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--int8", is_flag=True, help="Use 8-bit weights: about half the size, nearly the same answers.")
@overwrite_option
@with_session
def export_model(session: Session, model: str, file: Path, int8: bool, overwrite: bool) -> None:
    """Export MODEL to FILE as ONNX. If FILE is -, write to standard output.

    The ONNX model runs with onnxruntime alone; its metadata contains the labels and the preprocessing. FILE appears
    only when it is complete and its checksum is verified.
    """
    require_free(file, overwrite)
    to_stdout = str(file) == "-"
    with session.client() as client:
        exported = client.models.export(model, sys.stdout.buffer if to_stdout else file, "int8" if int8 else "float32")
    target = "standard output" if to_stdout else printable(str(file))
    text = f"wrote {target} ({format_size(exported.size_bytes)})"
    if exported.report is not None:
        text += f"; {format_export_report(exported.report)}"
    if to_stdout:
        click.echo(to_json(exported) if session.json else text, err=True)
    else:
        session.show(exported, text)


_ONLINE_SETTINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "--replay",
        {
            "type": click.IntRange(*limits.REPLAY.bounds),
            "help": f"earlier drawings to repeat in each step. [default: {limits.DEFAULT_REPLAY}]",
        },
    ),
    (
        "--steps",
        {
            "type": click.IntRange(*limits.ONLINE_STEPS.bounds),
            "help": f"optimizer steps for each drawing. [default: {limits.DEFAULT_ONLINE_STEPS}]",
        },
    ),
    (
        "--learning-rate",
        {
            "type": click.FloatRange(*limits.LEARNING_RATE.bounds, min_open=limits.LEARNING_RATE.open),
            "help": f"AdamW's learning rate. [default: {limits.DEFAULT_ONLINE_LEARNING_RATE}; 0.0001 for a new "
            "resnet50-transformer]",
        },
    ),
    (
        "--weight-decay",
        {
            "type": click.FloatRange(*limits.WEIGHT_DECAY.bounds),
            "help": f"AdamW's weight decay. [default: {limits.DEFAULT_ONLINE_WEIGHT_DECAY}]",
        },
    ),
    ("--seed", {"type": click.IntRange(*limits.SEED.bounds), "help": "the random seed. [default: 0]"}),
)


def _add_online_settings(command: Any) -> Any:
    for flag, attributes in reversed(_ONLINE_SETTINGS):
        command = click.option(flag, **{**attributes, "help": f"With --online: {attributes['help']}"})(command)
    return command


@models_command.command("use")
@click.argument("model")
@click.option("--online", is_flag=True, help="Give the workspace a network of its own that learns online.")
@_add_online_settings
@with_session
def use_model(session: Session, model: str, online: bool, **settings: Any) -> None:
    """Use MODEL for all predictions in the workspace from now on. `few-shot` goes back to the workspace's own head.

    With --online, the workspace gets a network of its own that starts from MODEL, or untrained from the preset cnn36 or
    resnet50-transformer. It learns every drawing that was taught so far, and each new one. The server needs torch.

    \b
    haleganada models use mine
    haleganada models use cnn36 --online --replay 16
    haleganada models use few-shot
    """
    given = {name: value for name, value in settings.items() if value is not None}
    if online:
        _use_online(session, model, OnlineSettings(**given))
    elif given:
        raise click.UsageError(f"--{next(iter(given)).replace('_', '-')} needs --online")
    else:
        _use(session, model)


def _use(session: Session, model: str) -> None:
    with session.client() as client:
        active, workspace = client.models.activate(model), client.config.workspace
    text = f"{printable(workspace)} now uses {printable(active.name)}"
    session.show(active, f"{text}; {_describe_way_back(session)}" if active.model_id != "few-shot" else text)


def _use_online(session: Session, model: str, settings: OnlineSettings) -> None:
    with session.client() as client:
        online = client.models.activate(model, online=settings)
        workspace, name = client.get_workspace(), model_names(client, [online.start]).get(online.start)
    start = f"the model {printable(name)}" if name else f"a new {printable(online.start)}"
    text = f"{printable(workspace.name)} now has an online network, which starts from {start}"
    status = f"`{session.command_line('workspaces')}` shows its progress; {_describe_way_back(session)}"
    session.show(online, f"{text}; {_describe_first_answers(workspace.samples_total, bool(name))}\n{status}")


def _describe_first_answers(samples: int, starts_from_model: bool) -> str:
    """Say what answers at first. A network that starts from a model knows its labels."""
    if samples:
        return f"few-shot answers until it has learned the {format_count(samples, 'drawing')} taught so far"
    if starts_from_model:
        return "it answers with that model's labels, and learns those that you teach"
    return "few-shot answers until two labels are taught"


def _describe_way_back(session: Session) -> str:
    return f"`{session.command_line('models', 'use', 'few-shot')}` goes back"
