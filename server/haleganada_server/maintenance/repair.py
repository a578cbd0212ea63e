"""`haleganada repair`: saves what is left of a damaged workspace."""

from __future__ import annotations

from pathlib import Path

import click

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.logs import configure_logging
from haleganada_server.store import DataDirectory

from .offline import data_option, open_directory


@click.command()
@click.option("--workspace", "-w", required=True, metavar="NAME", help="The damaged workspace.")
@data_option
def repair(workspace: str, data: Path) -> None:
    """Rebuild a damaged workspace from every intact row, and from its newest sound snapshot.

    Stop the server first. The damaged file is kept in the trash. The output says exactly what was saved and what was
    lost.

    If no change and no sample is lost, undo works as before and can bring back forgotten samples; otherwise the
    samples are taught anew, and undo cannot go further back. Either way, revisions and sample ids continue.
    """
    configure_logging("error")
    with open_directory(data, "repair", failure=1) as directory:
        _repair(directory, workspace)


def _repair(directory: DataDirectory, workspace: str) -> None:
    try:
        directory.open(workspace).close()
    except HaleganadaError as error:
        if error.reason != Reason.WORKSPACE_CORRUPT:
            raise
        repaired = directory.repair(workspace)
        for sentence in repaired.saved.describe():
            click.echo(f"{workspace}: {sentence}")
        kept = repaired.retired
        told = f"the damaged file is in its trash, {kept.snapshot_id}" if kept else "its file was missing"
        click.echo(f"{workspace} is repaired; {told}.")
    else:
        click.echo(f"{workspace} is sound; there is nothing to repair.")
