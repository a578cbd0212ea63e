"""save, snapshots, restore, reset, export, import, workspaces."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .layout import size, table
from .session import Session, with_session


@click.command("save")
@click.argument("name", default="")
@with_session
def save_command(session: Session, name: str) -> None:
    """Keep the present state as a snapshot, under NAME."""
    with session.client() as client:
        kept = client.save(name)
        session.show(kept, f"kept {kept.samples_total} samples as {kept.snapshot_id} ({kept.name}, {size(kept.bytes)})")


@click.command("snapshots")
@with_session
def snapshots_command(session: Session) -> None:
    """List kept states, newest first."""
    with session.client() as client:
        kept = client.list_snapshots()
    rows = [
        [s.snapshot_id, s.name, str(s.samples_total), s.created.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
         "trash" if s.trash else ""]
        for s in kept
    ]  # fmt: skip
    session.show(kept, table(rows, ["snapshot", "name", "samples", "made", ""]) if rows else "no snapshots")


@click.command("restore")
@click.argument("snapshot_id")
@with_session
def restore_command(session: Session, snapshot_id: str) -> None:
    """Make snapshot SNAPSHOT_ID the present state. What is there now moves to the trash."""
    with session.client() as client:
        workspace = client.restore_snapshot(snapshot_id)
        session.show(workspace, f"{workspace.name} has {workspace.samples_total} samples again")


@click.command("reset")
@click.option("--confirm", metavar="NAME", help="The workspace's name, instead of being asked for it.")
@with_session
def reset_command(session: Session, confirm: str | None) -> None:
    """Empty the workspace. What it holds moves to the trash; `haleganada restore` brings it back."""
    with session.client() as client:
        name = client.config.workspace
        if confirm is None:
            confirm = click.prompt(f"This empties the workspace. Type its name, {name}, to go on", err=True)
        kept = client.reset(confirm)
        session.show(
            kept, f"{name} is empty; `haleganada restore {kept.snapshot_id}` brings {kept.samples_total} samples back"
        )


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format", "form", default="archive", show_default=True, type=click.Choice(["archive", "seed", "jsonl", "folder"])
)
@with_session
def export_command(session: Session, file: Path, form: str) -> None:
    """Write everything that was taught to FILE."""
    with session.client() as client:
        done = client.export(file, form)
        session.show(done, f"wrote {done.samples_total} samples to {file} ({size(done.bytes)})")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_session
def import_command(session: Session, file: Path) -> None:
    """Teach everything in FILE: an archive, JSON lines, or a zip of images in folders named after labels."""
    with (
        session.client() as client,
        click.progressbar(length=file.stat().st_size, label="Sending", file=sys.stderr) as progress,
    ):
        report = client.import_file(file, progress=lambda sent: progress.update(sent - progress.pos))
    lines = [
        f"learned {report.imported} samples, {report.duplicates} were known before, {report.refused_total} refused"
    ]
    lines += [f"  {refused.item}: {refused.error.message}" for refused in report.refused]
    if report.before:
        lines.append(f"`haleganada restore {report.before.snapshot_id}` goes back")
    session.show(report, "\n".join(lines))
    if report.refused_total:
        sys.exit(1)


@click.command("workspaces")
@click.option("--create", metavar="NAME", help="Create a workspace.")
@click.option("--delete", metavar="NAME", help="Move a workspace to its trash.")
@click.option("--confirm", metavar="NAME", help="With --delete: the name again, instead of being asked for it.")
@with_session
def workspaces_command(session: Session, create: str | None, delete: str | None, confirm: str | None) -> None:
    """List workspaces, create or delete one."""
    with session.client() as client:
        if create:
            client.create_workspace(create)
        if delete:
            client.delete_workspace(delete, confirm or click.prompt(f"Type {delete} again to delete it", err=True))
        found = client.list_workspaces()
    rows = [
        [
            w.name,
            str(w.labels_known),
            str(w.samples_total),
            str(w.revision),
            size(w.bytes_on_disk),
            "corrupt" if w.corrupt else "",
        ]
        for w in found
    ]
    session.show(found, table(rows, ["workspace", "labels", "samples", "revision", "on disk", ""]))
