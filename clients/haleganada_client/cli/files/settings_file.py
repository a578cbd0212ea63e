"""A JSON file of training settings, which hold wherever the command line gives none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from haleganada_client.cli.layout import printable

_LONGEST_SHOWN = 40
_TYPES: dict[type[click.ParamType[Any]], tuple[type, ...]] = {
    click.IntRange: (int,),
    click.FloatRange: (int, float),
    click.Choice: (str,),
    click.types.BoolParamType: (bool,),
}
"""What JSON has to hold for a flag of that kind; true is no number here."""


def _beneath_flags(ctx: click.Context, parameter: click.Parameter, file: Path | None) -> None:
    """The file's settings become the defaults of the command's flags of the same names, which are read after it.

    Raises click.UsageError for what is no JSON object, and for a setting that is unknown or that its flag would refuse.
    """
    del parameter
    if file is None:
        return
    from haleganada_client.jobs import TrainingSettings

    names = {field.name for field in fields(TrainingSettings)}
    flags = {param.name: param.type for param in ctx.command.params if param.name in names}
    try:
        ctx.default_map = _settings(file.read_bytes(), flags)
    except ValueError as error:
        raise click.UsageError(f"{printable(str(file))}: {printable(str(error))}", ctx) from None


def _settings(text: bytes, flags: Mapping[str, click.ParamType[Any]]) -> dict[str, Any]:
    """Null is the preset's own, as if it were not there. Raises ValueError."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise ValueError(f'is not a JSON object of settings, such as {{"epochs": 30}}; allowed are {", ".join(flags)}')
    for name, value in given.items():
        if name not in flags:
            raise ValueError(f"there is no setting {_shown(name)}; allowed are {', '.join(flags)}")
        if value is not None and not _is_allowed(value, flags[name]):
            raise ValueError(f"{name} is {_shown(value)}; allowed is {_allowed(flags[name])}")
    return {name: value for name, value in given.items() if value is not None}


def _is_allowed(value: Any, kind: click.ParamType[Any]) -> bool:
    if type(value) not in _TYPES[type(kind)] or value != value:  # NaN is in every range
        return False
    try:
        kind.convert(value, None, None)
    except (click.BadParameter, OverflowError):
        return False
    return True


def _allowed(kind: click.ParamType[Any]) -> str:
    if isinstance(kind, click.Choice):
        return " or ".join(f'"{choice}"' for choice in kind.choices)
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        number = "a whole number" if isinstance(kind, click.IntRange) else "a number"
        return f"{number}, {'above ' if kind.min_open else ''}{kind.min:,} to {kind.max:,}"
    return "true or false"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.json",
    is_eager=True,
    expose_value=False,
    callback=_beneath_flags,
    help='Settings such as {"epochs": 30, "batch_size": 64}, as a job shows them; flags win over them.',
)
"""--config, for a command that has the flags of a training's settings."""
