"""workspaces: isolated vocabularies on one server."""

from __future__ import annotations

from collections.abc import Mapping

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.layout import counted, moment, size, table
from haleganada_client.cli.session import Session, with_session
from haleganada_client.cli.text import online_learning
from haleganada_client.types import WorkspaceInfo


@click.group("workspaces", cls=DefaultGroup)
def workspaces_command() -> None:
    """List workspaces (ls, also without the word), create or delete one."""


@workspaces_command.command("ls")
@with_session
def list_workspaces(session: Session) -> None:
    """List workspaces by name, what answers in each, and how far networks that learn along have come."""
    with session.client() as client:
        found = client.list_workspaces()
        names = online_learning.names_of(client, online_learning.names_needed(found))
    header = ["workspace", "labels", "samples", "revision", "on disk", "created", "answers", ""]
    session.show(found, table([_row(session, workspace, names) for workspace in found], header, right={1, 2, 3, 4}))


def _row(session: Session, workspace: WorkspaceInfo, names: Mapping[str, str]) -> list[str]:
    counts = [str(count) for count in (workspace.labels_known, workspace.samples_total, workspace.revision)]
    created = "" if workspace.corrupt else moment(workspace.create_time)  # what cannot be read has no time
    kept = [size(workspace.size_bytes), created]
    return [
        workspace.name,
        *counts,
        *kept,
        online_learning.answers(workspace, names),
        _state(session, workspace, names),
    ]


def _state(session: Session, workspace: WorkspaceInfo, names: Mapping[str, str]) -> str:
    if workspace.corrupt:
        return f"corrupt; see `{session.command_line('snapshots', workspace=workspace.name)}`"
    to_embed = f"{counted(workspace.samples_to_embed, 'sample')} to embed anew" if workspace.samples_to_embed else ""
    return "; ".join(filter(None, [online_learning.progress(workspace, names), to_embed]))


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
    back = session.command_line("restore", kept.snapshot_id, workspace=name)
    session.show(kept, f"deleted {name}; `{back}` brings it back")
