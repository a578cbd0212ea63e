"""save, snapshots, restore, reset."""

from __future__ import annotations

import click

from haleganada_client.cli.layout import counted, moment, size, table
from haleganada_client.cli.session import Session, with_session


@click.command("save")
@click.argument("name", default="")
@with_session
def save_command(session: Session, name: str) -> None:
    """Keep the present state as a snapshot, under NAME or the time."""
    with session.client() as client:
        kept = client.save(name)
    samples = counted(kept.samples_total, "sample")
    session.show(kept, f"kept {samples} as {kept.snapshot_id} ({kept.name}, {size(kept.size_bytes)})")


@click.command("snapshots")
@with_session
def snapshots_command(session: Session) -> None:
    """List kept states, newest first; also what reset, restore and delete put into the trash."""
    with session.client() as client:
        kept = client.list_snapshots()
    rows = [
        [
            s.snapshot_id,
            s.name,
            str(s.samples_total),
            size(s.size_bytes),
            moment(s.create_time),
            "trash" if s.trash else "",
        ]
        for s in kept
    ]
    header = ["snapshot", "name", "samples", "size", "made", ""]
    session.show(kept, table(rows, header, right={2, 3}) if rows else "no snapshots")


@click.command("restore")
@click.argument("snapshot_id")
@with_session
def restore_command(session: Session, snapshot_id: str) -> None:
    """Make snapshot SNAPSHOT_ID the present state. What is there now moves to the trash."""
    with session.client() as client:
        workspace = client.restore_snapshot(snapshot_id)
    session.show(workspace, f"{workspace.name} has {counted(workspace.samples_total, 'sample')} again")


@click.command("reset")
@click.option("--confirm", metavar="NAME", help="The workspace's name, instead of being asked for it.")
@with_session
def reset_command(session: Session, confirm: str | None) -> None:
    """Empty the workspace. What it holds moves to the trash; `haleganada restore` brings it back."""
    with session.client() as client:
        name = client.config.workspace
        kept = client.reset(confirm or session.ask(f"This empties the workspace. Type its name, {name}, to go on"))
    restore, samples = session.command_line("restore", kept.snapshot_id), counted(kept.samples_total, "sample")
    back = f"; `{restore}` brings {samples} back" if kept.samples_total else ""
    session.show(kept, f"{name} is empty{back}")
