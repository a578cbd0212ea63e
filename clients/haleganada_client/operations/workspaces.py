"""Workspaces and their snapshots."""

from __future__ import annotations

from collections.abc import Sequence

from haleganada.v1 import workspace_service_pb2 as wsp

from haleganada_client import types
from haleganada_client.calls.dual import dual_method
from haleganada_client.wire import convert
from haleganada_client.wire.arguments import parse_choice, to_list
from haleganada_client.wire.build import build

from .base import BATCH_TIMEOUT_S, Operations


class Workspaces(Operations):
    """Workspaces and their snapshots."""

    @dual_method
    async def create_workspace(self, name: str) -> types.WorkspaceInfo:
        """Create an empty workspace."""
        request = build(wsp.CreateWorkspaceRequest, workspace=name)
        answer = await self._connection.call_once(self._workspaces.CreateWorkspace, request)
        return convert.workspace(answer.workspace)

    @dual_method
    async def get_workspace(self, name: str | None = None) -> types.WorkspaceInfo:
        """Return one workspace."""
        request = build(wsp.GetWorkspaceRequest, workspace=self._or_default(name))
        answer = await self._connection.call(self._workspaces.GetWorkspace, request)
        return convert.workspace(answer.workspace)

    @dual_method
    async def list_workspaces(self) -> list[types.WorkspaceInfo]:
        """Return all workspaces, by name."""
        pages = self._connection.pages(self._workspaces.ListWorkspaces, wsp.ListWorkspacesRequest(page_size=500))
        return [convert.workspace(workspace) async for page in pages for workspace in page.workspaces]

    @dual_method
    async def delete_workspace(self, name: str, confirm: str) -> types.Snapshot | None:
        """Delete a workspace and return the snapshot in the trash of what it held, None if its file was missing.
        confirm: its name.
        """
        request = build(wsp.DeleteWorkspaceRequest, workspace=name, confirm=confirm)
        answer = await self._connection.call_once(self._workspaces.DeleteWorkspace, request)
        return convert.snapshot(answer.snapshot) if answer.HasField("snapshot") else None

    @dual_method
    async def list_snapshots(self, *, workspace: str | None = None) -> list[types.Snapshot]:
        """Return the newest 500 snapshots, newest first."""
        request = build(wsp.ListSnapshotsRequest, workspace=self._or_default(workspace), page_size=500)
        answer = await self._connection.call(self._workspaces.ListSnapshots, request)
        return [convert.snapshot(snapshot) for snapshot in answer.snapshots]

    @dual_method
    async def restore_snapshot(
        self, snapshot_id: str, *, expected_revision: int | None = None, workspace: str | None = None
    ) -> types.WorkspaceInfo:
        """Restore a workspace from a snapshot."""
        request = build(
            wsp.RestoreSnapshotRequest,
            workspace=self._or_default(workspace),
            snapshot_id=snapshot_id,
            expected_revision=expected_revision,
        )
        answer = await self._connection.call_once(self._workspaces.RestoreSnapshot, request, BATCH_TIMEOUT_S)
        return convert.workspace(answer.workspace)

    @dual_method
    async def delete_snapshot(
        self, snapshot_id: str, confirm: str = "", *, workspace: str | None = None
    ) -> types.PrunedSnapshots:
        """Delete a snapshot for good. confirm: the workspace's name, needed if no other sound snapshot is left."""
        request = build(
            wsp.DeleteSnapshotRequest, workspace=self._or_default(workspace), snapshot_id=snapshot_id, confirm=confirm
        )
        answer = await self._connection.call_once(self._workspaces.DeleteSnapshot, request, BATCH_TIMEOUT_S)
        return types.PrunedSnapshots((convert.snapshot(answer.snapshot),), answer.freed_bytes)

    @dual_method
    async def prune_snapshots(
        self,
        kinds: Sequence[str] = (),
        *,
        keep: int | None = None,
        older_than_s: int | None = None,
        dry_run: bool = False,
        workspace: str | None = None,
    ) -> types.PrunedSnapshots:
        """Delete older snapshots for good, but never the newest sound one; with dry_run, only tell which.

        kinds: saved, automatic, before_import, trash; () = all but saved. keep: how many of each kind stay.
        older_than_s: only those that are older. None for both: what the server deletes by itself.
        """
        request = build(
            wsp.PruneSnapshotsRequest,
            workspace=self._or_default(workspace),
            kinds=[parse_choice(kind, convert.SNAPSHOT_KINDS, "kinds") for kind in to_list(kinds, "kinds")],
            keep=keep,
            older_than_seconds=older_than_s,
            dry_run=dry_run,
        )
        answer = await self._connection.call_once(self._workspaces.PruneSnapshots, request, BATCH_TIMEOUT_S)
        return types.PrunedSnapshots(convert.to_tuple(convert.snapshot, answer.snapshots), answer.freed_bytes)
