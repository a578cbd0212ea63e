"""Which snapshot a command means: people remember its name, the server its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .formatting import format_time, printable

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient


def resolve_snapshot(client: HaleganadaClient, reference: str, workspace: str | None = None) -> str:
    """Return the id to send for a snapshot that people give by its id or its name.

    A reference that fits none is returned as it is: the server says what is wrong with it. Raise click.UsageError if
    several snapshots have the name, HaleganadaError if they cannot be listed.
    """
    snapshots = client.list_snapshots(workspace=workspace)
    if any(snapshot.snapshot_id == reference for snapshot in snapshots):
        return reference
    named = [snapshot for snapshot in snapshots if snapshot.name == reference]
    if len(named) > 1:
        choices = ", ".join(f"{snapshot.snapshot_id} ({format_time(snapshot.create_time)})" for snapshot in named)
        raise click.UsageError(f"several snapshots are called {printable(reference)}; give one of {choices}")
    return named[0].snapshot_id if named else reference
