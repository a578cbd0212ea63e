"""WorkspaceService through the generated stubs over loopback: what each RPC does."""

from __future__ import annotations

import grpc
from haleganada.v1 import common_pb2
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import workspace_service_pb2 as workspaces

from tests.conftest import RunningServer
from tests.contract.refusals import expect_refusal
from tests.contract.teaching import teach


def test_create_workspace(server: RunningServer) -> None:
    answer = server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace="../ಅ <b>"))
    assert (answer.workspace.name, answer.workspace.state) == ("../ಅ <b>", workspaces.WORKSPACE_STATE_READY)


def test_get_workspace(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    found = server.workspaces.GetWorkspace(workspaces.GetWorkspaceRequest(workspace=workspace)).workspace
    assert (found.samples_total, found.labels_known, found.revision) == (1, 1, 1)
    assert found.size_bytes > 0 and found.embedder_hash == server.app.embedder.hash
    assert server.workspaces.GetWorkspace(workspaces.GetWorkspaceRequest()).workspace.name == "default"


def test_list_workspaces(server: RunningServer, workspace: str) -> None:
    found: list[str] = []
    request = workspaces.ListWorkspacesRequest(page_size=1)
    while True:
        page = server.workspaces.ListWorkspaces(request)
        found += [entry.name for entry in page.workspaces]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == sorted(set(found)) and {"default", workspace} <= set(found)


def test_delete_workspace(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    request = workspaces.DeleteWorkspaceRequest(workspace=workspace, confirm=workspace)
    assert server.workspaces.DeleteWorkspace(request).snapshot.samples_total == 1
    get = workspaces.GetWorkspaceRequest(workspace=workspace)
    assert expect_refusal(lambda: server.workspaces.GetWorkspace(get)).code == grpc.StatusCode.NOT_FOUND


def test_list_snapshots(server: RunningServer, workspace: str) -> None:
    names = ["one", "two", "three"]
    for name in names:
        teach(server, workspace)
        server.ocr.Save(ocr.SaveRequest(workspace=workspace, name=name))
    request = workspaces.ListSnapshotsRequest(workspace=workspace, page_size=2)
    first = server.workspaces.ListSnapshots(request)
    request.page_token = first.next_page_token
    second = server.workspaces.ListSnapshots(request)
    assert [snapshot.name for snapshot in (*first.snapshots, *second.snapshots)] == names[::-1]
    assert not second.next_page_token


def test_restore_snapshot(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "kept")
    kept = server.ocr.Save(ocr.SaveRequest(workspace=workspace)).snapshot.snapshot_id
    teach(server, workspace, "lost")
    answer = server.workspaces.RestoreSnapshot(
        workspaces.RestoreSnapshotRequest(workspace=workspace, snapshot_id=kept, expected_revision=2)
    )
    assert (answer.workspace.labels_known, answer.workspace.revision) == (1, 3)
    assert answer.replaced.trash and answer.replaced.samples_total == 2


def test_delete_snapshot(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    kept = [server.ocr.Save(ocr.SaveRequest(workspace=workspace, name=name)).snapshot for name in ("one", "two")]
    assert kept[0].kind == common_pb2.SNAPSHOT_KIND_SAVED
    request = workspaces.DeleteSnapshotRequest(workspace=workspace, snapshot_id=kept[0].snapshot_id)
    answer = server.workspaces.DeleteSnapshot(request)
    assert answer.snapshot == kept[0] and answer.freed_bytes == 0  # the other one shares the file
    assert expect_refusal(lambda: server.workspaces.DeleteSnapshot(request)).reason == "SNAPSHOT_NOT_FOUND"

    request.snapshot_id = kept[1].snapshot_id
    assert expect_refusal(lambda: server.workspaces.DeleteSnapshot(request)).reason == "CONFIRMATION_NEEDED"
    request.confirm = workspace
    assert server.workspaces.DeleteSnapshot(request).freed_bytes == kept[1].size_bytes
    assert not server.workspaces.ListSnapshots(workspaces.ListSnapshotsRequest(workspace=workspace)).snapshots


def test_prune_snapshots(server: RunningServer, workspace: str) -> None:
    for _ in range(3):
        teach(server, workspace)
        server.ocr.Save(ocr.SaveRequest(workspace=workspace, name="saved"))
        server.ocr.Reset(ocr.ResetRequest(workspace=workspace, confirm=workspace))
    request = workspaces.PruneSnapshotsRequest(workspace=workspace, keep=1, dry_run=True)
    planned = server.workspaces.PruneSnapshots(request)
    assert len(planned.snapshots) == 2 and all(snapshot.trash for snapshot in planned.snapshots)
    request.dry_run = False
    pruned = server.workspaces.PruneSnapshots(request)
    assert pruned.snapshots == planned.snapshots and pruned.freed_bytes == planned.freed_bytes > 0
    left = server.workspaces.ListSnapshots(workspaces.ListSnapshotsRequest(workspace=workspace)).snapshots
    assert [snapshot.trash for snapshot in left] == [True, False, False, False]

    request.keep = -1
    assert expect_refusal(lambda: server.workspaces.PruneSnapshots(request)).fields == ("keep",)
    request = workspaces.PruneSnapshotsRequest(workspace=workspace, kinds=[common_pb2.SNAPSHOT_KIND_SAVED])
    assert expect_refusal(lambda: server.workspaces.PruneSnapshots(request)).fields == ("keep",)
