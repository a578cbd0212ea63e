"""`haleganada audit`: lists who taught, forgot, reset, exported, and changed tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import click

from haleganada_server.core.access.audit import AuditEntry
from haleganada_server.core.clock import now_us
from haleganada_server.store.audit import AuditFile
from haleganada_server.store.sample_log.changes import READING_ERRORS, read_changes
from haleganada_server.store.workspaces.home import LOG, read_name

from .offline import data_option

_DAY_US = 86_400_000_000
_UNKNOWN = "?"


@click.command()
@click.option("--workspace", "-w", metavar="NAME", help="Only what was done in this workspace.")
@click.option("--who", metavar="NAME", help="Only what was done with the token of this name, or “local” without one.")
@click.option("--days", type=click.FloatRange(0, 36_500), default=30.0, show_default=True, help="How far to look back.")
@click.option(
    "--newest",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="COUNT",
    help="Print at most this many lines, the newest ones.",
)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each line.")
def audit(workspace: str | None, who: str | None, days: float, newest: int, data: Path, as_json: bool) -> None:
    """List who taught, corrected, forgot, reset, exported or deleted something or changed tokens, oldest first.

    A server may run meanwhile. What was taught is looked up in the workspaces as they are now; what was taught before a
    reset is in the trash. “?” stands for changes from before the server recorded names.
    """
    since_us = now_us() - int(days * _DAY_US)
    entries = [
        entry
        for entry in _read_all(data, since_us)
        if (workspace is None or entry.workspace == workspace) and (who is None or entry.caller.name == who)
    ]
    entries.sort(key=lambda entry: entry.time_us)
    for entry in entries[-newest:]:
        _print(entry, as_json)


def _read_all(data: Path, since_us: int) -> Iterator[AuditEntry]:
    yield from (entry for entry in AuditFile(data).read() if entry.time_us >= since_us)
    for home in sorted((data / "workspaces").glob("*")):
        name = read_name(home)
        if name is not None:
            try:
                yield from read_changes(home / LOG, name, since_us)
            except READING_ERRORS as error:
                click.echo(f"haleganada audit: workspace “{name}” cannot be read: {error}.", err=True)


def _print(entry: AuditEntry, as_json: bool) -> None:
    time = datetime.fromtimestamp(entry.time_us / 1e6, timezone.utc).isoformat("T", "seconds")
    caller = entry.caller
    if as_json:
        fields = {"time": time, "who": caller.name, "address": caller.address, "what": entry.what}
        fields |= {"workspace": entry.workspace, "detail": entry.detail}
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    where = f" in {entry.workspace}" if entry.workspace else ""
    line = f"{time}  {caller.name or _UNKNOWN}  {entry.what}{where}"
    click.echo(f"{line}: {entry.detail}" if entry.detail else line)
