"""`haleganada verify`: checks every file of a data directory, and says what can be saved of the damaged ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from haleganada_server.logs import configure_logging
from haleganada_server.store.verification import verify_others
from haleganada_server.store.workspaces.inspection import Checked

from .offline import data_option, open_directory


@click.command()
@click.option("--workspace", "-w", metavar="NAME", help="Check only this workspace.")
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each part.")
def verify(workspace: str | None, data: Path, as_json: bool) -> None:
    """Check workspaces, snapshots, models, data sets, jobs and readings. Print a line for each, and what can be saved
    of damaged ones.

    Stop the server first. Nothing is changed. The exit code is 0 if everything is sound, 1 if something is damaged, or
    was written by a newer version.
    """
    configure_logging("critical")
    damaged = False
    with open_directory(data, "verify", failure=2) as directory:
        for name in [workspace] if workspace else directory.names():
            for checked in directory.verify(name):
                damaged |= _print(checked, as_json)
        for checked in [] if workspace else verify_others(data):
            damaged |= _print(checked, as_json)
    sys.exit(1 if damaged else 0)


def _print(checked: Checked, as_json: bool) -> bool:
    """Print the line of one part; return whether it is damaged."""
    if as_json:
        fields = {"what": checked.what, "sound": not checked.problem, "problem": checked.problem, "hint": checked.hint}
        click.echo(json.dumps(fields, ensure_ascii=False))
    else:
        kind = "NEWER" if checked.newer else "DAMAGED"
        problem = f"{kind}: {checked.problem}" if checked.problem else "sound"
        click.echo(f"{checked.what}: {problem}" + (f". {checked.hint}" if checked.hint else ""))
    return bool(checked.problem)
