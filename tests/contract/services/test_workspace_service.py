"""WorkspaceService through the generated stubs over loopback: what each RPC does."""

from __future__ import annotations

import grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import workspace_service_pb2 as workspaces

from tests.conftest import RunningServer
from tests.contract.refusals import refused
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
    assert refused(lambda: server.workspaces.GetWorkspace(get)).code == grpc.StatusCode.NOT_FOUND


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
