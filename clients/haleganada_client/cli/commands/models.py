"""models: what was trained on data sets, and which of it answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.layout import moment, percent, printable, size, table
from haleganada_client.cli.session import Session, as_json, with_session
from haleganada_client.cli.text.export_report import export_report

from .models_use import use_model

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.models import Model, Preset

_HASH_SHOWN = 12  # characters, enough to tell two models apart
_LABELS_SHOWN = 100


@click.group("models", cls=DefaultGroup)
def models_command() -> None:
    """List trained models (ls, also without the word), look at one, choose what answers, export or delete."""


models_command.add_command(use_model)


@models_command.command("ls")
@with_session
def list_models(session: Session) -> None:
    """List models, the newest first, behind few-shot, each workspace's own head."""
    with session.client() as client:
        found = client.models.list()
    session.show(found, _table(found))


@models_command.command("show")
@click.argument("model")
@with_session
def show_model(session: Session, model: str) -> None:
    """Tell all of MODEL: its id, or its name if that is unique."""
    with session.client() as client:
        found = client.models.get(model)
    session.show(found, _in_words(found))


@models_command.command("presets")
@with_session
def list_presets(session: Session) -> None:
    """List what can be trained, with `haleganada fit`."""
    with session.client() as client:
        found = client.models.presets()
    header = ["preset", "parameters", "input", "epochs", "batch", "rate", ""]
    session.show(found, table([_preset_row(preset) for preset in found], header, right={1, 2, 3, 4, 5}))


@models_command.command("delete")
@click.argument("model")
@click.option("--confirm", metavar="NAME", help="The model's name again, instead of being asked for it.")
@with_session
def delete_model(session: Session, model: str, confirm: str | None) -> None:
    """Delete MODEL for good. No workspace may answer with it."""
    with session.client() as client:
        found = client.models.get(model)
        typed = confirm or session.ask(
            f"This deletes the model for good. Type its name, {printable(found.name)}, to go on"
        )
        if typed != found.name:
            raise click.UsageError("that is not the model's name; nothing was deleted")
        client.models.delete(found.model_id)
    session.show({"deleted": found.model_id}, f"deleted {printable(found.name)} ({found.model_id})")


@models_command.command("export")
@click.argument("model")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--int8", is_flag=True, help="8-bit weights: about half the size, nearly the same answers.")
@with_session
def export_model(session: Session, model: str, file: Path, int8: bool) -> None:
    """Write MODEL to FILE (- for standard output) as ONNX, which onnxruntime alone can run.

    Labels and preprocessing are in its metadata. The file appears only once it is complete and its checksum is right.
    """
    to_stdout = str(file) == "-"
    with session.client() as client:
        done = client.models.export(model, sys.stdout.buffer if to_stdout else file, "int8" if int8 else "float32")
    where = "standard output" if to_stdout else printable(str(file))
    text = f"wrote {where} ({size(done.size_bytes)})"
    if done.report is not None:
        text += f"; {export_report(done.report)}"
    if to_stdout:
        click.echo(as_json(done) if session.json else text, err=True)
    else:
        session.show(done, text)


def _table(models: Sequence[Model]) -> str:
    header = ["id", "name", "kind", "labels", "size", "hash", "data", "validation", "test", "ms", "made", "answers in"]
    listed = table([_row(model) for model in models], header, right={3, 4, 7, 8, 9})
    return "\n".join([listed, *(_damage(model) for model in models if model.damage)])


def _damage(model: Model) -> str:
    return f"damaged: {model.model_id}, {printable(model.damage)}"


def _answers_in(model: Model) -> str:
    return ", ".join([*model.active_in, *(f"{name} (learning along)" for name in model.online_in)])


def _row(model: Model) -> list[str]:
    return [
        model.model_id,
        f"{model.name} (damaged)" if model.damage else model.name,
        model.preset,
        str(model.labels_total) if model.labels_total else "-",
        size(model.size_bytes),
        model.sha256[:_HASH_SHOWN],
        f"{model.dataset_name} {model.dataset_sha256[:_HASH_SHOWN]}".strip() or "-",
        percent(model.validation_accuracy),
        percent(model.test_accuracy),
        f"{model.latency_ms:.1f}" if model.latency_ms else "-",
        moment(model.create_time) if model.create_time else "-",
        _answers_in(model),
    ]


def _in_words(model: Model) -> str:
    facts = [
        ["id", model.model_id],
        ["name", model.name],
        ["kind", model.preset],
        ["parameters", f"{model.parameters:,}"],
        ["input", f"{model.input_size_px} x {model.input_size_px} px"],
        ["on disk", size(model.size_bytes)],
        ["SHA-256", model.sha256],
        ["answers in", _answers_in(model) or "-"],
    ]
    if model.damage:
        facts.append(["damaged", model.damage])
    if model.create_time:
        facts += [
            ["made", moment(model.create_time)],
            ["data set", model.dataset_name],
            ["its SHA-256", model.dataset_sha256],
            ["validation", percent(model.validation_accuracy)],
            ["test", percent(model.test_accuracy)],
            ["one drawing", f"{model.latency_ms:.1f} ms" if model.latency_ms else "-"],
            ["labels", _labels(model)],
        ]
    return table(facts)


def _labels(model: Model) -> str:
    shown, left = model.labels[:_LABELS_SHOWN], model.labels_total - _LABELS_SHOWN
    return f"{model.labels_total}: {' '.join(shown)}" + (f" and {left} more (--json has all)" if left > 0 else "")


def _preset_row(preset: Preset) -> list[str]:
    recipe = [str(preset.epochs), str(preset.batch_size), f"{preset.learning_rate:g}"]
    return [preset.name, f"{preset.parameters:,}", f"{preset.input_size_px} px", *recipe, preset.description]
