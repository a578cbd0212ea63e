"""`haleganada backup`: copies a data directory, also while a server uses it, and checks the copy."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from haleganada_server.core.errors import HaleganadaError
from haleganada_server.logs import configure_logging
from haleganada_server.store.backup.backup import Backup, describe_failure, describe_problem

_folder = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("dest", type=_folder)
@click.option("--data", type=_folder, default="saved_model", show_default=True, help="The data directory to copy.")
@click.option("--previous", type=_folder, help="An earlier backup, with which unchanged files are shared (hard links).")
def backup(dest: Path, data: Path, previous: Path | None) -> None:
    """Copy everything that matters in the data directory to the new folder DEST.

    A server may run meanwhile: the command needs no connection to it, but must run on the same machine, as a user who
    may read and write the data directory. Each workspace is copied as of one moment. Every copy is opened and compared
    with the original.

    DEST is itself a data directory. To restore it, copy it, and start the server on the copy:
    haleganada serve --data COPY

    Left out: uploads in progress, checkpoints of jobs, and networks that learn online, which the server computes again.
    The exit code is 1 if anything could not be copied or is damaged.
    """
    configure_logging("error")
    if problem := describe_problem(data, dest, previous):
        _exit_with_error(problem, status=2)
    work = Backup(data, dest, previous)
    problems = 0
    try:
        for part in work.run():
            problems += bool(part.problem)
            click.echo(f"{part.what}: {part.problem}" if part.problem else part.what)
    except (HaleganadaError, OSError) as error:
        _exit_with_error(describe_failure(error), status=1)
    size, shared = work.sizes
    sharing = f", {shared / 1e6:.1f} MB of it shared with earlier files" if shared else ""
    click.echo(f"The backup {dest} is complete (logs, and {size / 1e6:.1f} MB in other files{sharing}).")
    if problems:
        _exit_with_error(f"{problems} of its parts are damaged in {data}, too; see above.", status=1)


def _exit_with_error(sentence: str, status: int) -> None:
    click.echo(f"haleganada backup: {sentence.rstrip('.')}.", err=True)
    sys.exit(status)
