"""save, snapshots, restore and reset."""

from __future__ import annotations

import click

from haleganada_client.cli.formatting import format_count, format_size, format_table, format_time
from haleganada_client.cli.session import Session, with_session


@click.command("save")
@click.argument("name", default="")
@with_session
def save_command(session: Session, name: str) -> None:
    """Save the workspace as a snapshot called NAME; without NAME, after the present time."""
    with session.client() as client:
        snapshot = client.save(name)
    samples, size = format_count(snapshot.samples_total, "sample"), format_size(snapshot.size_bytes)
    session.show(snapshot, f"saved {samples} as {snapshot.snapshot_id} ({snapshot.name}, {size})")


@click.command("snapshots")
@with_session
def snapshots_command(session: Session) -> None:
    """List snapshots, newest first. Those marked as trash were made by reset, restore and delete."""
    with session.client() as client:
        snapshots = client.list_snapshots()
    rows = [
        [
            snapshot.snapshot_id,
            snapshot.name,
            str(snapshot.samples_total),
            format_size(snapshot.size_bytes),
            format_time(snapshot.create_time),
            "trash" if snapshot.trash else "",
        ]
        for snapshot in snapshots
    ]
    header = ["snapshot", "name", "samples", "size", "created", ""]
    session.show(snapshots, format_table(rows, header, right={2, 3}) if rows else "no snapshots")


@click.command("restore")
@click.argument("snapshot_id")
@with_session
def restore_command(session: Session, snapshot_id: str) -> None:
    """Replace the workspace's content by the snapshot SNAPSHOT_ID. The present content moves to the trash."""
    with session.client() as client:
        workspace = client.restore_snapshot(snapshot_id)
    session.show(workspace, f"{workspace.name} has {format_count(workspace.samples_total, 'sample')} again")


@click.command("reset")
@click.option("--confirm", metavar="NAME", help="The workspace's name, to confirm without being asked.")
@with_session
def reset_command(session: Session, confirm: str | None) -> None:
    """Empty the workspace. Its content moves to the trash, from which `haleganada restore` brings it back."""
    with session.client() as client:
        name = client.config.workspace
        question = f"This empties the workspace. Type its name, {name}, to continue"
        snapshot = client.reset(confirm or session.ask(question))
    restore = session.command_line("restore", snapshot.snapshot_id)
    samples = format_count(snapshot.samples_total, "sample")
    hint = f"; `{restore}` brings {samples} back" if snapshot.samples_total else ""
    session.show(snapshot, f"{name} is empty{hint}")
