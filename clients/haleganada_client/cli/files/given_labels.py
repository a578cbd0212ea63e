"""What `--labels FILE` names, and what it leaves out, told on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from haleganada_client.cli.formatting import format_count, printable
from haleganada_client.errors import InvalidInput
from haleganada_client.labeled import labeled_zip
from haleganada_client.labeled.label_file import LabelFile, read_labels

_SHOWN = 3


def read_label_file(path: Path) -> LabelFile:
    """Read a file of labels. Raise click.UsageError for one that cannot be used."""
    with _as_usage():
        return read_labels(path)


@contextmanager
def pack_with_labels(source: Path, labels: LabelFile) -> Iterator[Path]:
    """Yield a temporary zip of the pictures that are named; say what is left out. Raise click.UsageError for what has
    no pictures to name.
    """
    with _as_usage(), labeled_zip.pack_with_labels(source, labels) as (packed, missing):
        if missing:
            click.echo(
                f"{format_count(len(missing), 'picture')} left out, not in the file of labels: {_list(missing)}",
                err=True,
            )
        report_unused(labels)
        yield packed


def report_unused(labels: LabelFile) -> None:
    """Say which lines name no picture."""
    if left := labels.list_unused():
        name = printable(labels.name)
        click.echo(f"{format_count(len(left), 'line')} of {name} without a picture: {_list(left)}", err=True)


def _list(paths: Sequence[str]) -> str:
    return ", ".join(map(printable, paths[:_SHOWN])) + (", …" if len(paths) > _SHOWN else "")


@contextmanager
def _as_usage() -> Iterator[None]:
    """Raise click.UsageError for labels that cannot be used."""
    try:
        yield
    except InvalidInput as error:
        if error.field != "labels":
            raise
        raise click.UsageError(printable(error.message.removeprefix("labels: "))) from None
