"""A workspace whose file is damaged answers DATA_LOSS with the way back; the others go on."""

from __future__ import annotations

from pathlib import Path

from grpc import StatusCode
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import workspace_service_pb2 as workspaces

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross, ring
from tests.contract.refusals import expect_refusal


def log_file(data: Path, name: str) -> Path:
    """The log of the workspace with this name."""
    for home in (data / "workspaces").iterdir():
        if f'"{name}"' in (home / "workspace.json").read_text(encoding="utf-8"):
            return home / "log.sqlite3"
    raise AssertionError(f"no workspace {name}")


def teach_two(server: RunningServer) -> str:
    """Teaches “good” and “bad” a sample each; a snapshot of “bad”."""
    for name in ("good", "bad"):
        server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=name))
        server.ocr.Train(ocr.TrainRequest(workspace=name, glyph=cross(), label="a"))
    return server.ocr.Save(ocr.SaveRequest(workspace="bad")).snapshot.snapshot_id


def test_data_loss_and_the_way_back(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    kept = teach_two(server)
    server.stop()
    log = log_file(tmp_path / "data", "bad")
    log.write_bytes(b"\xff" * log.stat().st_size)
    for beside in log.parent.glob("log.sqlite3-*"):
        beside.unlink()

    server = start_server()
    refusal = expect_refusal(lambda: server.ocr.Predict(ocr.PredictRequest(workspace="bad", glyph=ring())))
    assert (refusal.code, refusal.reason) == (StatusCode.DATA_LOSS, "WORKSPACE_CORRUPT")
    assert "Restore one of its snapshots" in refusal.message and "/" not in refusal.message
    assert server.ocr.Predict(ocr.PredictRequest(workspace="good", glyph=cross())).candidates[0].label == "a"
    found = server.workspaces.GetWorkspace(workspaces.GetWorkspaceRequest(workspace="bad")).workspace
    assert found.state == workspaces.WORKSPACE_STATE_CORRUPT

    back = workspaces.RestoreSnapshotRequest(workspace="bad", snapshot_id=kept)
    assert server.workspaces.RestoreSnapshot(back).workspace.samples_total == 1
    assert server.ocr.Predict(ocr.PredictRequest(workspace="bad", glyph=cross())).candidates[0].label == "a"
