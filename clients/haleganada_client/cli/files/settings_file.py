"""A JSON file of training settings (`fit --config`). Options on the command line take precedence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from haleganada_client.cli.formatting import printable

_MAX_SHOWN = 40
_TYPES: dict[type[click.ParamType[Any]], tuple[type, ...]] = {
    click.IntRange: (int,),
    click.FloatRange: (int, float),
    click.Choice: (str,),
    click.types.BoolParamType: (bool,),
}
"""The JSON types that an option of each kind accepts. true is no number here."""


def _load_defaults(ctx: click.Context, parameter: click.Parameter, file: Path | None) -> None:
    """Make the file's settings the defaults of the options of the same names, which click parses after this one.

    Raise click.UsageError if the file is not a JSON object, and for a setting that is unknown or not allowed.
    """
    del parameter
    if file is None:
        return
    from haleganada_client.training.jobs import TrainingSettings

    names = {field.name for field in fields(TrainingSettings)}
    options = {param.name: param.type for param in ctx.command.params if param.name in names}
    try:
        ctx.default_map = _parse_settings(file.read_bytes(), options)
    except ValueError as error:
        raise click.UsageError(f"{printable(str(file))}: {printable(str(error))}", ctx) from None


def _parse_settings(text: bytes, options: Mapping[str, click.ParamType[Any]]) -> dict[str, Any]:
    """Return the settings of a file, without those that are null. Raise ValueError."""
    allowed = f"allowed are {', '.join(options)}"
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise ValueError(f'is not a JSON object of settings, such as {{"epochs": 30}}; {allowed}')
    for name, value in settings.items():
        if name not in options:
            raise ValueError(f"there is no setting {_shorten(name)}; {allowed}")
        if value is not None and not _is_allowed(value, options[name]):
            raise ValueError(f"{name} is {_shorten(value)}, but must be {_describe_type(options[name])}")
    return {name: value for name, value in settings.items() if value is not None}


def _is_allowed(value: Any, kind: click.ParamType[Any]) -> bool:
    if type(value) not in _TYPES[type(kind)] or value != value:  # NaN is in every range
        return False
    try:
        kind.convert(value, None, None)
    except (click.BadParameter, OverflowError):
        return False
    return True


def _describe_type(kind: click.ParamType[Any]) -> str:
    if isinstance(kind, click.Choice):
        return " or ".join(f'"{choice}"' for choice in kind.choices)
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        number = "a whole number" if isinstance(kind, click.IntRange) else "a number"
        lower = f"above {kind.min:,} and at most" if kind.min_open else f"from {kind.min:,} to"
        return f"{number} {lower} {kind.max:,}"
    return "true or false"


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.json",
    is_eager=True,
    expose_value=False,
    callback=_load_defaults,
    help='A file of settings such as {"epochs": 30, "batch_size": 64}. Options take precedence over it.',
)
"""--config, for a command with an option for each training setting."""
