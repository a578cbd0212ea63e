"""Models and presets in words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from haleganada_client.cli.formatting import format_percent, format_size, format_table, format_time, printable

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.training.models import Model, Preset

_HASH_SHOWN = 12  # characters, enough to tell two models apart
_MAX_LABELS = 100


def format_models(models: Sequence[Model]) -> str:
    """Return a table of models, and a line for each damaged one."""
    header = ["id", "name", "kind", "labels", "size", "hash", "data", "validation", "test", "ms", "created", "used by"]
    table = format_table([_row(model) for model in models], header, right={3, 4, 7, 8, 9})
    damaged = [f"damaged: {model.model_id}, {printable(model.damage)}" for model in models if model.damage]
    return "\n".join([table, *damaged])


def _row(model: Model) -> list[str]:
    return [
        model.model_id,
        f"{model.name} (damaged)" if model.damage else model.name,
        model.preset or "-",
        str(model.labels_total) if model.labels_total else "-",
        format_size(model.size_bytes),
        model.sha256[:_HASH_SHOWN],
        f"{model.dataset_name} {model.dataset_sha256[:_HASH_SHOWN]}".strip() or "-",
        format_percent(model.validation_accuracy),
        format_percent(model.test_accuracy),
        f"{model.latency_ms:.1f}" if model.latency_ms else "-",
        format_time(model.create_time) if model.create_time else "-",
        _list_users(model),
    ]


def _list_users(model: Model) -> str:
    """List the workspaces that answer with a model, or with an online network that started from it."""
    return ", ".join([*model.active_in, *(f"{name} (online)" for name in model.online_in)])


def format_model(model: Model) -> str:
    """Return all about a model."""
    facts = [
        ["id", model.model_id],
        ["name", model.name],
        ["kind", model.preset],
        ["parameters", f"{model.parameters:,}"],
        ["input", f"{model.input_size_px} x {model.input_size_px} px" if model.input_size_px else "-"],
        ["on disk", format_size(model.size_bytes)],
        ["SHA-256", model.sha256],
        ["used by", _list_users(model) or "-"],
    ]
    if model.damage:
        facts.append(["damaged", model.damage])
    if model.create_time:
        facts += [
            ["created", format_time(model.create_time)],
            ["data set", model.dataset_name],
            ["its SHA-256", model.dataset_sha256],
            ["validation accuracy", format_percent(model.validation_accuracy)],
            ["test accuracy", format_percent(model.test_accuracy)],
            ["time per drawing", f"{model.latency_ms:.1f} ms" if model.latency_ms else "-"],
            ["labels", _list_labels(model)],
        ]
    return format_table(facts)


def _list_labels(model: Model) -> str:
    shown, left = model.labels[:_MAX_LABELS], model.labels_total - _MAX_LABELS
    return f"{model.labels_total}: {' '.join(shown)}" + (f" and {left} more (--json has all)" if left > 0 else "")


def format_presets(presets: Sequence[Preset]) -> str:
    """Return a table of presets and their default settings, and lines for those that lack something."""
    rows = [
        [
            preset.name,
            f"{preset.parameters:,}",
            f"{preset.input_size_px} px",
            str(preset.epochs),
            str(preset.batch_size),
            f"{preset.learning_rate:g}",
            preset.description,
        ]
        for preset in presets
    ]
    header = ["preset", "parameters", "input", "epochs", "batch", "learning rate", ""]
    table = format_table(rows, header, right={1, 2, 3, 4, 5})
    missing: dict[str, list[str]] = {}
    for preset in presets:
        if preset.missing:
            missing.setdefault(preset.missing, []).append(preset.name)
    lines = [table, *(f"not now: {', '.join(names)}; {why}" for why, names in missing.items())]
    if fetching := describe_fetching(presets):
        lines.append(fetching)
    return "\n".join(lines)


def describe_fetching(presets: Sequence[Preset]) -> str:
    """Say which presets' weights a training would have to fetch; "" if none."""
    names = [preset.name for preset in presets if preset.needs_network and not preset.missing]
    if not names:
        return ""
    return (
        f"ImageNet weights of {', '.join(names)}: fetched when training starts, which needs the network; or start the "
        "server with --backbone-weights FILE"
    )
