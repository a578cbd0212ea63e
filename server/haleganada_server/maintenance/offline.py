"""What the commands share that work on a data directory without a server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

data_option = click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="saved_model",
    show_default=True,
    help="The data directory.",
)


@contextmanager
def open_directory(data: Path, command: str, failure: int) -> Iterator[DataDirectory]:
    """Lock a data directory for the block. An error is printed as the command's; the exit code is `failure` then."""
    try:
        with closing(DataDirectory(data, PillowRasterizer())) as directory:
            yield directory
    except (HaleganadaError, OSError) as error:
        sentence = error.message if isinstance(error, HaleganadaError) else str(error)
        click.echo(f"haleganada {command}: {sentence}.", err=True)
        sys.exit(failure)
