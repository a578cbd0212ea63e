"""workspaces: separate sets of labels and samples on one server."""

from __future__ import annotations

from collections.abc import Mapping

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.formatting import format_count, format_size, format_table, format_time
from haleganada_client.cli.output import online_learning
from haleganada_client.cli.session import Session, with_session
from haleganada_client.types import WorkspaceInfo


@click.group("workspaces", cls=DefaultGroup)
def workspaces_command() -> None:
    """List workspaces (ls, the default), create one or delete one."""


@workspaces_command.command("ls")
@with_session
def list_workspaces(session: Session) -> None:
    """List workspaces by name. The table also shows their models and the progress of online networks."""
    with session.client() as client:
        workspaces = client.list_workspaces()
        names = online_learning.model_names(client, online_learning.models_of(workspaces))
    header = ["workspace", "labels", "samples", "revision", "on disk", "created", "model", ""]
    rows = [_row(session, workspace, names) for workspace in workspaces]
    session.show(workspaces, format_table(rows, header, right={1, 2, 3, 4}))


def _row(session: Session, workspace: WorkspaceInfo, names: Mapping[str, str]) -> list[str]:
    return [
        workspace.name,
        str(workspace.labels_known),
        str(workspace.samples_total),
        str(workspace.revision),
        format_size(workspace.size_bytes),
        "" if workspace.corrupt else format_time(workspace.create_time),  # a file that cannot be read tells no time
        online_learning.describe_model(workspace, names),
        _describe_state(session, workspace, names),
    ]


def _describe_state(session: Session, workspace: WorkspaceInfo, names: Mapping[str, str]) -> str:
    if workspace.corrupt:
        return f"corrupt; see `{session.command_line('snapshots', workspace=workspace.name)}`"
    stale = f"{format_count(workspace.samples_to_embed, 'sample')} to re-embed" if workspace.samples_to_embed else ""
    return "; ".join(filter(None, [online_learning.describe_online_status(workspace, names), stale]))


@workspaces_command.command("create")
@click.argument("name")
@with_session
def create_workspace(session: Session, name: str) -> None:
    """Create an empty workspace. Use it with `haleganada --workspace NAME`."""
    with session.client() as client:
        workspace = client.create_workspace(name)
    session.show(workspace, f"created {workspace.name}; use it with --workspace, or set HALEGANADA_WORKSPACE")


@workspaces_command.command("delete")
@click.argument("name")
@click.option("--confirm", metavar="NAME", help="The name again, to confirm without being asked.")
@with_session
def delete_workspace(session: Session, name: str, confirm: str | None) -> None:
    """Move a workspace to the trash. `haleganada restore` brings it back."""
    confirm = confirm or session.ask(f"This deletes the workspace. Type its name, {name}, to continue")
    with session.client() as client:
        snapshot = client.delete_workspace(name, confirm)
    if snapshot is None:
        session.show(None, f"deleted {name}, whose file was missing")
    else:
        restore = session.command_line("restore", snapshot.snapshot_id, workspace=name)
        session.show(snapshot, f"deleted {name}; `{restore}` brings it back")
