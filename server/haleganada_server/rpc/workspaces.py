"""WorkspaceService."""

from __future__ import annotations

import grpc
from haleganada.v1 import workspace_service_pb2 as pb
from haleganada.v1 import workspace_service_pb2_grpc

from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.workspaces import Workspaces

from . import convert, validate

Context = grpc.ServicerContext


class WorkspaceServicer(workspace_service_pb2_grpc.WorkspaceServiceServicer):
    """Unpack, call, pack."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def CreateWorkspace(self, request: pb.CreateWorkspaceRequest, context: Context) -> pb.CreateWorkspaceResponse:
        created = self._workspaces.create(_named(request.workspace))
        return pb.CreateWorkspaceResponse(workspace=convert.workspace(created))

    def GetWorkspace(self, request: pb.GetWorkspaceRequest, context: Context) -> pb.GetWorkspaceResponse:
        return pb.GetWorkspaceResponse(workspace=convert.workspace(self._workspaces.info(request.workspace)))

    def ListWorkspaces(self, request: pb.ListWorkspacesRequest, context: Context) -> pb.ListWorkspacesResponse:
        after, limit = validate.page_start("workspaces", request.page_token, ""), validate.page_size(request.page_size)
        found = self._workspaces.page(after, limit + 1)
        following = validate.page_token("workspaces", found[limit - 1].name) if len(found) > limit else ""
        shown = [convert.workspace(workspace) for workspace in found[:limit]]
        return pb.ListWorkspacesResponse(workspaces=shown, next_page_token=following)

    def DeleteWorkspace(self, request: pb.DeleteWorkspaceRequest, context: Context) -> pb.DeleteWorkspaceResponse:
        kept = self._workspaces.delete(_named(request.workspace), request.confirm)
        return pb.DeleteWorkspaceResponse(snapshot=convert.snapshot(kept))

    def ListSnapshots(self, request: pb.ListSnapshotsRequest, context: Context) -> pb.ListSnapshotsResponse:
        start, limit = validate.page_start("snapshots", request.page_token, 0), validate.page_size(request.page_size)
        kept = self._workspaces.snapshots(request.workspace)
        following = validate.page_token("snapshots", start + limit) if len(kept) > start + limit else ""
        shown = [convert.snapshot(snapshot) for snapshot in kept[start : start + limit]]
        return pb.ListSnapshotsResponse(snapshots=shown, next_page_token=following)

    def RestoreSnapshot(self, request: pb.RestoreSnapshotRequest, context: Context) -> pb.RestoreSnapshotResponse:
        expected = convert.optional(request, "expected_revision")
        workspace, replaced = self._workspaces.restore(request.workspace, request.snapshot_id, expected)
        return pb.RestoreSnapshotResponse(
            workspace=convert.workspace(workspace), replaced=convert.snapshot(replaced) if replaced else None
        )


def _named(workspace: str) -> str:
    if not workspace:
        raise InvalidInput("workspace", "is empty; name the workspace")
    return workspace
