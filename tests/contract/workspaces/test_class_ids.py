"""The numbers of labels: given once, kept when a label is forgotten, never given to another one."""

from __future__ import annotations

from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import sample_service_pb2 as samples
from haleganada.v1 import workspace_service_pb2 as workspaces

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross, ladder, ring

DRAWINGS = (cross, ring, ladder)


def teach(server: RunningServer, workspace: str, *labels: str) -> list[int]:
    """Teach a drawing of each label; the sample_ids."""
    return [
        server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=DRAWINGS[i % 3](i), label=label)).sample_id
        for i, label in enumerate(labels)
    ]


def forget(server: RunningServer, workspace: str, sample_id: int) -> None:
    server.samples.DeleteSample(samples.DeleteSampleRequest(workspace=workspace, sample_id=sample_id))


def relabel(server: RunningServer, workspace: str, sample_id: int, label: str) -> None:
    server.samples.UpdateSample(samples.UpdateSampleRequest(workspace=workspace, sample_id=sample_id, label=label))


def undo(server: RunningServer, workspace: str) -> None:
    server.ocr.Undo(ocr.UndoRequest(workspace=workspace))


def ids(server: RunningServer, workspace: str) -> dict[str, int]:
    """The numbers of all known labels, on which predictions and statistics agree."""
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace))
    told = {label.label: label.class_id for label in stats.labels}
    answer = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross(), top_k=50))
    assert {candidate.label: candidate.class_id for candidate in answer.candidates} == told
    return told


def test_a_number_is_kept_and_never_reused(server: RunningServer, workspace: str) -> None:
    _, b, _ = teach(server, workspace, "a", "b", "c")
    forget(server, workspace, b)
    assert ids(server, workspace) == {"a": 0, "c": 2}
    teach(server, workspace, "d")
    assert ids(server, workspace) == {"a": 0, "c": 2, "d": 3}
    teach(server, workspace, "b")
    assert ids(server, workspace) == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_a_batch_numbers_labels_in_its_order(server: RunningServer, workspace: str) -> None:
    items = [ocr.TrainItem(glyph=cross(i), label=label) for i, label in enumerate(["x", "y", "x", "", "z"])]
    server.ocr.TrainBatch(ocr.TrainBatchRequest(workspace=workspace, items=items))
    assert ids(server, workspace) == {"x": 0, "y": 1, "z": 2}


def test_relabeling_and_undoing(server: RunningServer, workspace: str) -> None:
    _, b = teach(server, workspace, "a", "b")
    relabel(server, workspace, b, "new")
    assert ids(server, workspace) == {"a": 0, "new": 2}
    undo(server, workspace)
    assert ids(server, workspace) == {"a": 0, "b": 1}
    teach(server, workspace, "c")
    undo(server, workspace)
    teach(server, workspace, "d", "new", "c")
    assert ids(server, workspace) == {"a": 0, "b": 1, "new": 2, "c": 3, "d": 4}


def test_a_correction_and_a_link(server: RunningServer, workspace: str) -> None:
    """A canonical label that was never taught has no number yet."""
    teach(server, workspace, "a")
    wrong = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=ring()))
    correction = ocr.CorrectRequest(workspace=workspace, prediction_id=wrong.prediction_id, label="b", variant_of="c")
    server.ocr.Correct(correction)
    assert ids(server, workspace) == {"a": 0, "b": 1}
    teach(server, workspace, "d", "c")
    assert ids(server, workspace) == {"a": 0, "b": 1, "d": 2, "c": 3}


def test_a_restart_and_a_snapshot(start_server: StartServer) -> None:
    first = start_server()
    _, b, _ = teach(first, "", "a", "b", "c")
    forget(first, "", b)
    snapshot = first.ocr.Save(ocr.SaveRequest()).snapshot
    teach(first, "", "d", "b")
    told = ids(first, "")
    first.stop()
    again = start_server()
    assert ids(again, "") == told == {"a": 0, "b": 1, "c": 2, "d": 3}
    teach(again, "", "e")
    assert ids(again, "")["e"] == 4
    restore = workspaces.RestoreSnapshotRequest(snapshot_id=snapshot.snapshot_id)
    again.workspaces.RestoreSnapshot(restore)
    assert ids(again, "") == {"a": 0, "c": 2}
    teach(again, "", "b")
    assert ids(again, "") == {"a": 0, "b": 1, "c": 2}


def test_an_emptied_workspace_begins_anew(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "a", "b")
    server.ocr.Reset(ocr.ResetRequest(workspace=workspace, confirm=workspace))
    teach(server, workspace, "b")
    assert ids(server, workspace) == {"b": 0}


def test_an_import_gives_the_numbers_of_its_workspace(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "a", "b")
    exported = list(server.ocr.Export(ocr.ExportRequest(workspace=workspace)))
    into = f"{workspace} 2"
    server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=into))
    teach(server, into, "b")
    parts = [ocr.ImportRequest(header=ocr.ImportHeader(workspace=into))]
    parts += [ocr.ImportRequest(chunk=part.chunk) for part in exported if part.WhichOneof("part") == "chunk"]
    server.ocr.Import(iter(parts))
    assert ids(server, into) == {"b": 0, "a": 1}
