"""save, snapshots, restore and reset."""

from __future__ import annotations

from collections.abc import Sequence

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.formatting import format_count, format_size, format_table, format_time, printable
from haleganada_client.cli.one_by_one import do_each, end_with
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.snapshot_lookup import resolve_snapshot
from haleganada_client.limits import KEPT_SNAPSHOTS
from haleganada_client.types import Snapshot

_DAY_S = 24 * 3600


@click.command("save")
@click.argument("name", default="")
@with_session
def save_command(session: Session, name: str) -> None:
    """Save the workspace as a snapshot called NAME, or else named after the current time."""
    with session.client() as client:
        snapshot = client.save(name)
    samples, size = format_count(snapshot.samples_total, "sample"), format_size(snapshot.size_bytes)
    session.show(snapshot, f"saved {samples} as {snapshot.snapshot_id} ({snapshot.name}, {size})")


@click.group("snapshots", cls=DefaultGroup)
def snapshots_command() -> None:
    """List snapshots (ls, the default), delete one or prune the older ones."""


@snapshots_command.command("ls")
@with_session
def list_snapshots(session: Session) -> None:
    """List snapshots, newest first. Those marked as trash were made by reset, restore and delete."""
    with session.client() as client:
        snapshots = client.list_snapshots()
    session.show(snapshots, _format_snapshots(snapshots) or "no snapshots")


@snapshots_command.command("delete")
@click.argument("snapshots", nargs=-1, required=True, metavar="SNAPSHOT...")
@click.option("--confirm", metavar="NAME", help="The workspace's name, to delete also the last sound snapshot.")
@with_session
def delete_snapshots(session: Session, snapshots: tuple[str, ...], confirm: str | None) -> None:
    """Permanently delete snapshots, given by their ids or names. The last sound one needs the workspace's name in
    --confirm.
    """
    with session.client() as client:
        outcomes = do_each(
            snapshots, lambda name: client.delete_snapshot(resolve_snapshot(client, name), confirm or "")
        )
    deleted = [snapshot for pruned in outcomes.done.values() for snapshot in pruned.snapshots]
    freed = sum(pruned.freed_bytes for pruned in outcomes.done.values())
    names = ", ".join(printable(name) for name in outcomes.done) or "nothing"
    value = {"snapshots": deleted, "freed_bytes": freed}
    end_with(session, outcomes, value, f"deleted {names}, which frees {format_size(freed)}")


@snapshots_command.command("prune")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(["saved", "automatic", "before-import", "trash"]),
    help="What to prune; can be repeated.  [default: all but saved]",
)
@click.option("--keep", type=click.IntRange(*KEPT_SNAPSHOTS.bounds), help="How many of each kind to keep.")
@click.option("--older-than", "days", type=click.FloatRange(0), metavar="DAYS", help="Only those older than this.")
@click.option("--dry-run", is_flag=True, help="Only list what would be deleted.")
@with_session
def prune_snapshots(
    session: Session, kinds: tuple[str, ...], keep: int | None, days: float | None, dry_run: bool
) -> None:
    """Permanently delete older snapshots; without options, those that the server would delete by itself. The newest
    sound snapshot always stays.
    """
    with session.client() as client:
        pruned = client.prune_snapshots(
            [kind.replace("-", "_") for kind in kinds],
            keep=keep,
            older_than_s=None if days is None else round(days * _DAY_S),
            dry_run=dry_run,
        )
    count, size = format_count(len(pruned.snapshots), "snapshot"), format_size(pruned.freed_bytes)
    summary = f"{count} would be deleted (up to {size})" if dry_run else f"deleted {count}, which frees {size}"
    session.show(pruned, "\n".join(filter(None, [_format_snapshots(pruned.snapshots), summary])))


def _format_snapshots(snapshots: Sequence[Snapshot]) -> str:
    """Return a table; "" without snapshots."""
    rows = [
        [
            snapshot.snapshot_id,
            snapshot.name,
            str(snapshot.samples_total),
            format_size(snapshot.size_bytes),
            format_time(snapshot.create_time),
            "" if snapshot.kind == "saved" else snapshot.kind.replace("_", " "),
        ]
        for snapshot in snapshots
    ]
    header = ["snapshot", "name", "samples", "size", "created", ""]
    return format_table(rows, header, right={2, 3}) if rows else ""


@click.command("restore")
@click.argument("snapshot")
@with_session
def restore_command(session: Session, snapshot: str) -> None:
    """Replace the workspace's content with SNAPSHOT, by its id or name. The current content moves to the trash."""
    with session.client() as client:
        workspace = client.restore_snapshot(resolve_snapshot(client, snapshot))
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
    hint = ""
    if snapshot is not None and snapshot.samples_total:
        restore = session.command_line("restore", snapshot.snapshot_id)
        hint = f"; `{restore}` brings {format_count(snapshot.samples_total, 'sample')} back"
    session.show(snapshot, f"{name} is empty{hint}")
