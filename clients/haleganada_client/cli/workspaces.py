"""workspaces: isolated vocabularies on one server."""

from __future__ import annotations

import click

from haleganada_client.types import WorkspaceInfo

from .default_group import DefaultGroup
from .layout import moment, size, table
from .session import Session, with_session


@click.group("workspaces", cls=DefaultGroup)
def workspaces_command() -> None:
    """List workspaces (ls, also without the word), create or delete one."""


@workspaces_command.command("ls")
@with_session
def list_workspaces(session: Session) -> None:
    """List workspaces by name."""
    with session.client() as client:
        found = client.list_workspaces()
    header = ["workspace", "labels", "samples", "revision", "on disk", "created", ""]
    session.show(found, table([_row(workspace) for workspace in found], header, right={1, 2, 3, 4}))


def _row(workspace: WorkspaceInfo) -> list[str]:
    counts = [str(count) for count in (workspace.labels_known, workspace.samples_total, workspace.revision)]
    return [workspace.name, *counts, size(workspace.bytes_on_disk), moment(workspace.created), _state(workspace)]


def _state(workspace: WorkspaceInfo) -> str:
    if workspace.corrupt:
        return "corrupt; see `haleganada snapshots`"
    return f"{workspace.samples_to_embed} samples to embed anew" if workspace.samples_to_embed else ""


@workspaces_command.command("create")
@click.argument("name")
@with_session
def create_workspace(session: Session, name: str) -> None:
    """Create an empty workspace; use it with `haleganada --workspace NAME`."""
    with session.client() as client:
        made = client.create_workspace(name)
    session.show(made, f"created {made.name}; use it with --workspace, or set HALEGANADA_WORKSPACE")


@workspaces_command.command("delete")
@click.argument("name")
@click.option("--confirm", metavar="NAME", help="The name again, instead of being asked for it.")
@with_session
def delete_workspace(session: Session, name: str, confirm: str | None) -> None:
    """Move a workspace to its trash, from which `haleganada restore` brings it back."""
    confirm = confirm or session.ask(f"This deletes the workspace. Type its name, {name}, to go on")
    with session.client() as client:
        kept = client.delete_workspace(name, confirm)
    session.show(kept, f"deleted {name}; `haleganada -w {name} restore {kept.snapshot_id}` brings it back")
