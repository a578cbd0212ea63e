"""WorkspaceService: unpack, call the domain, pack."""

from __future__ import annotations

import grpc
from haleganada.v1 import workspace_service_pb2 as pb
from haleganada.v1 import workspace_service_pb2_grpc

from haleganada_server.core.workspaces.workspaces import Workspaces

from .. import pages, validate
from ..access.present import get_identity
from ..caller import caller
from ..convert import common
from ..convert import workspaces as convert

Context = grpc.ServicerContext


class WorkspaceServicer(workspace_service_pb2_grpc.WorkspaceServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def CreateWorkspace(self, request: pb.CreateWorkspaceRequest, context: Context) -> pb.CreateWorkspaceResponse:
        validate.named("workspace", request.workspace)
        return pb.CreateWorkspaceResponse(workspace=convert.workspace(self._workspaces.create(request.workspace)))

    def GetWorkspace(self, request: pb.GetWorkspaceRequest, context: Context) -> pb.GetWorkspaceResponse:
        return pb.GetWorkspaceResponse(workspace=convert.workspace(self._workspaces.info(request.workspace)))

    def ListWorkspaces(self, request: pb.ListWorkspacesRequest, context: Context) -> pb.ListWorkspacesResponse:
        limit, after = validate.page_size(request.page_size), pages.decode("workspaces", request.page_token, "")
        found = self._workspaces.page(after, limit + 1, get_identity().may_use)
        shown, following = found[:limit], found[limit - 1].name if len(found) > limit else ""
        return pb.ListWorkspacesResponse(
            workspaces=[convert.workspace(info) for info in shown],
            next_page_token=pages.encode("workspaces", following),
        )

    def DeleteWorkspace(self, request: pb.DeleteWorkspaceRequest, context: Context) -> pb.DeleteWorkspaceResponse:
        validate.named("workspace", request.workspace)
        retired = self._workspaces.delete(request.workspace, request.confirm)
        return pb.DeleteWorkspaceResponse(snapshot=common.snapshot(retired) if retired else None)

    def ListSnapshots(self, request: pb.ListSnapshotsRequest, context: Context) -> pb.ListSnapshotsResponse:
        limit, after = validate.page_size(request.page_size), pages.decode("snapshots", request.page_token, "")
        found = pages.skip_to_after(
            self._workspaces.snapshots(request.workspace), after, lambda snapshot: snapshot.snapshot_id, "snapshot"
        )
        shown, following = found[:limit], found[limit - 1].snapshot_id if len(found) > limit else ""
        return pb.ListSnapshotsResponse(
            snapshots=[common.snapshot(info) for info in shown],
            next_page_token=pages.encode("snapshots", following),
        )

    def RestoreSnapshot(self, request: pb.RestoreSnapshotRequest, context: Context) -> pb.RestoreSnapshotResponse:
        snapshot_id = validate.required_id("snapshot_id", request.snapshot_id)
        expected = common.expected_revision(request)
        info, replaced = self._workspaces.restore(request.workspace, snapshot_id, expected, caller(context))
        return pb.RestoreSnapshotResponse(
            workspace=convert.workspace(info), replaced=common.snapshot(replaced) if replaced else None
        )

    def DeleteSnapshot(self, request: pb.DeleteSnapshotRequest, context: Context) -> pb.DeleteSnapshotResponse:
        snapshot_id = validate.required_id("snapshot_id", request.snapshot_id)
        pruned = self._workspaces.snapshot_keeper.delete(request.workspace, snapshot_id, request.confirm)
        return pb.DeleteSnapshotResponse(snapshot=common.snapshot(pruned.snapshots[0]), freed_bytes=pruned.freed_bytes)

    def PruneSnapshots(self, request: pb.PruneSnapshotsRequest, context: Context) -> pb.PruneSnapshotsResponse:
        pruned = self._workspaces.snapshot_keeper.prune(
            request.workspace,
            common.snapshot_kinds(request.kinds),
            validate.kept_snapshots(request.keep if request.HasField("keep") else None),
            validate.snapshot_age(request.older_than_seconds if request.HasField("older_than_seconds") else None),
            dry_run=request.dry_run,
        )
        return pb.PruneSnapshotsResponse(
            snapshots=[common.snapshot(info) for info in pruned.snapshots], freed_bytes=pruned.freed_bytes
        )
