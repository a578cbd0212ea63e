"""Files that a command writes replace nothing unless that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from haleganada_client.cli.formatting import printable

F = TypeVar("F", bound=Callable[..., Any])


def overwrite_option(command: F) -> F:
    """Add --overwrite to a command."""
    return click.option("--overwrite", is_flag=True, help="Replace a file of that name.")(command)


def require_empty(folder: Path | None, overwrite: bool) -> None:
    """Raise click.UsageError for a folder in which something is that may not be replaced. None is no folder."""
    if folder is not None and not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(f"{printable(str(folder))} is not empty; --overwrite replaces files of the same names")


def require_free(path: Path | None, overwrite: bool) -> None:
    """Raise click.UsageError for a file that exists and may not be replaced. None and “-” are no files."""
    if path is not None and path != Path("-") and not overwrite and path.is_file():
        raise click.UsageError(f"{printable(str(path))} exists already; --overwrite replaces it")
