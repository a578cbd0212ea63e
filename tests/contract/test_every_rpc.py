"""Every RPC of the contract does what it says, called through the generated stubs over loopback."""

from __future__ import annotations

import re
import sys

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import sample_service_pb2 as samples
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada.v1.common_pb2 import Glyph

from tests.conftest import RunningServer
from tests.contract.drawings import cross, ladder, picture, ring
from tests.contract.refusals import refused


def teach(server: RunningServer, workspace: str, label: str = "ಕ", shift: float = 0.0) -> ocr.TrainResponse:
    return server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=cross(shift), label=label))


def test_every_rpc_has_a_test_here() -> None:
    files = (ocr.DESCRIPTOR, samples.DESCRIPTOR, workspaces.DESCRIPTOR)
    rpcs = {m.name for file in files for service in file.services_by_name.values() for m in service.methods}
    tested = {name.removeprefix("test_") for name in vars(sys.modules[__name__])}
    assert {re.sub(r"(?<!^)(?=[A-Z])", "_", rpc).lower() for rpc in rpcs} <= tested


def test_train(server: RunningServer, workspace: str) -> None:
    request = ocr.TrainRequest(workspace=workspace, glyph=cross(), label="ಕಿ", variant_of="ಕ", request_id="one")
    first, again = server.ocr.Train(request), server.ocr.Train(request)
    assert (first.label, first.canonical, first.labels_known, first.samples_total) == ("ಕಿ", "ಕ", 1, 1)
    assert first.durable and not first.duplicate and first.sample_id >= 1 and first.loss >= 0
    assert again.duplicate and again.sample_id == first.sample_id and again.revision == first.revision


def test_train_batch(server: RunningServer, workspace: str) -> None:
    items = [
        ocr.TrainItem(glyph=cross(), label="a"),
        ocr.TrainItem(label="no drawing"),
        ocr.TrainItem(glyph=ring(), label="b"),
    ]
    answer = server.ocr.TrainBatch(ocr.TrainBatchRequest(workspace=workspace, items=items))
    assert [result.WhichOneof("result") for result in answer.results] == ["taught", "error", "taught"]
    assert (answer.results[1].error.code, answer.results[1].error.field) == (3, "glyph")
    assert answer.revision == answer.results[2].taught.revision


def test_predict(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "ಕಿ")
    server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=ring(), label="ಅ"))
    answer = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross(2), top_k=2, model="few-shot"))
    first = answer.candidates[0]
    assert (first.label, list(first.code_points), first.samples) == ("ಕಿ", ["U+0C95", "U+0CBF"], 1)
    assert len(answer.candidates) == 2 and answer.revision == 2 and answer.prediction_id
    total = sum(candidate.probability for candidate in answer.candidates) + answer.unknown_probability
    assert total == pytest.approx(1, abs=1e-9)


def test_predict_batch(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    drawings = [cross(1), ocr.PredictRequest().glyph, ring()]
    answer = server.ocr.PredictBatch(ocr.PredictBatchRequest(workspace=workspace, glyphs=drawings))
    assert [result.WhichOneof("result") for result in answer.results] == ["prediction", "error", "prediction"]
    alone = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross(1)))
    together = answer.results[0].prediction
    assert together.candidates[0].probability == alone.candidates[0].probability  # to the last bit


def test_correct(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "a")
    prediction = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=ladder()))
    answer = server.ocr.Correct(
        ocr.CorrectRequest(workspace=workspace, prediction_id=prediction.prediction_id, label="b", request_id="fix")
    )
    assert (answer.taught.label, answer.predicted_revision) == ("b", prediction.revision)
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace))
    assert stats.corrections == 1


def test_link_variants(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "ಕಿ")
    answer = server.ocr.LinkVariants(ocr.LinkVariantsRequest(workspace=workspace, form="ಕಿ", canonical="ಕ"))
    assert (answer.canonical, list(answer.forms), answer.revision) == ("ಕ", ["ಕ", "ಕಿ"], 2)
    prediction = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross()))
    assert (prediction.candidates[0].label, prediction.candidates[0].canonical) == ("ಕಿ", "ಕ")


def test_unlink_variants(server: RunningServer, workspace: str) -> None:
    server.ocr.LinkVariants(ocr.LinkVariantsRequest(workspace=workspace, form="ಕಿ", canonical="ಕ"))
    answer = server.ocr.UnlinkVariants(ocr.UnlinkVariantsRequest(workspace=workspace, form="ಕಿ"))
    assert (answer.former_canonical, answer.revision) == ("ಕ", 2)


def test_undo(server: RunningServer, workspace: str) -> None:
    taught = teach(server, workspace)
    answer = server.ocr.Undo(ocr.UndoRequest(workspace=workspace, expected_revision=taught.revision))
    assert (answer.kind, answer.undone_revision, answer.sample_id, answer.label) == (
        ocr.CHANGE_KIND_TEACH,
        taught.revision,
        taught.sample_id,
        "ಕ",
    )
    assert server.ocr.Stats(ocr.StatsRequest(workspace=workspace)).samples_total == 0


def test_stats(server: RunningServer, workspace: str) -> None:
    empty = server.ocr.Stats(ocr.StatsRequest(workspace=workspace))
    assert not empty.HasField("average_loss") and not empty.HasField("accuracy")
    for shift in range(3):
        teach(server, workspace, "a", shift)
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace, history_points=2, find_suspects=True))
    assert (stats.samples_total, stats.labels_known, stats.accuracy_samples, len(stats.history)) == (3, 1, 2, 2)
    assert stats.labels[0].samples == 3 and stats.HasField("average_loss") and stats.size_bytes > 0
    assert stats.device.startswith("cpu") and {"server", "python", "onnxruntime", "weights"} <= set(stats.versions)
    assert stats.embedder_hash == server.app.embedder.hash and stats.uptime_seconds > 0
    train = next(latency for latency in stats.latencies if latency.method == "Train")
    assert train.calls >= 3 and 0 < train.p50_ms <= train.p99_ms


def test_stats_names_a_drawing_that_was_taught_twice(server: RunningServer, workspace: str) -> None:
    older, newer = (teach(server, workspace, label).sample_id for label in ("a", "b"))
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace, find_suspects=True))
    (pair,) = stats.near_duplicates
    assert (pair.sample_id, pair.label, pair.other_sample_id, pair.other_label) == (newer, "b", older, "a")
    assert 0.9999 < pair.similarity <= 1


def test_save(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    snapshot = server.ocr.Save(ocr.SaveRequest(workspace=workspace, name="before supper")).snapshot
    assert (snapshot.name, snapshot.revision, snapshot.samples_total, snapshot.trash) == ("before supper", 1, 1, False)
    assert snapshot.size_bytes > 0 and len(snapshot.sha256) == 64 and snapshot.create_time.seconds > 0


def test_reset(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    answer = server.ocr.Reset(ocr.ResetRequest(workspace=workspace, confirm=workspace))
    assert answer.snapshot.trash and answer.snapshot.samples_total == 1 and answer.revision == 2
    prediction = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross()))
    assert prediction.decision == ocr.DECISION_NOTHING_TAUGHT and prediction.unknown_probability == 1


def test_export(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    parts = list(server.ocr.Export(ocr.ExportRequest(workspace=workspace, format=ocr.EXPORT_FORMAT_JSONL)))
    header = parts[0].header
    assert (header.format, header.revision, header.samples_total) == (ocr.EXPORT_FORMAT_JSONL, 1, 1)
    assert parts[-1].trailer.size_bytes == sum(len(part.chunk) for part in parts[1:-1])


def test_import(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    parts = list(server.ocr.Export(ocr.ExportRequest(workspace=workspace)))
    requests = [ocr.ImportRequest(header=ocr.ImportHeader(workspace=workspace))]
    requests += [ocr.ImportRequest(chunk=part.chunk) for part in parts[1:-1]]
    requests += [ocr.ImportRequest(trailer=parts[-1].trailer)]
    server.ocr.Reset(ocr.ResetRequest(workspace=workspace, confirm=workspace))
    answer, again = server.ocr.Import(iter(requests)), server.ocr.Import(iter(requests))
    assert (answer.imported, answer.duplicates, answer.refused_total) == (1, 0, 0)
    assert (again.imported, again.duplicates) == (0, 1)
    assert not answer.HasField("before") and not again.HasField("before")


def test_list_samples(server: RunningServer, workspace: str) -> None:
    taught = [teach(server, workspace, "ab"[shift % 2], shift).sample_id for shift in range(5)]
    found: list[int] = []
    request = samples.ListSamplesRequest(workspace=workspace, page_size=2, with_pictures=True)
    while True:
        page = server.samples.ListSamples(request)
        assert page.total_size == 5 and len(page.samples) <= 2
        assert all(sample.picture.startswith(b"\x89PNG") for sample in page.samples)
        found += [sample.sample_id for sample in page.samples]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == taught[::-1]
    only = server.samples.ListSamples(samples.ListSamplesRequest(workspace=workspace, label="a", page_size=9999))
    assert [sample.label for sample in only.samples] == ["a"] * 3 and not only.samples[0].picture


def test_get_sample(server: RunningServer, workspace: str) -> None:
    taught = server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=Glyph(image=picture("JPEG")), label="a"))
    sample = server.samples.GetSample(samples.GetSampleRequest(workspace=workspace, sample_id=taught.sample_id)).sample
    assert (sample.label, sample.canonical, sample.loss, sample.revision) == ("a", "a", taught.loss, taught.revision)
    assert sample.picture.startswith(b"\x89PNG") and sample.create_time.seconds > 1_600_000_000


def test_update_sample(server: RunningServer, workspace: str) -> None:
    sample_id = teach(server, workspace, "wrong").sample_id
    request = samples.UpdateSampleRequest(workspace=workspace, sample_id=sample_id, label="right", request_id="r")
    answer = server.samples.UpdateSample(request)
    assert (answer.sample.label, answer.revision, answer.duplicate) == ("right", 2, False)
    assert server.samples.UpdateSample(request).duplicate


def test_delete_sample(server: RunningServer, workspace: str) -> None:
    sample_id = teach(server, workspace).sample_id
    answer = server.samples.DeleteSample(samples.DeleteSampleRequest(workspace=workspace, sample_id=sample_id))
    assert answer.revision == 2
    get = samples.GetSampleRequest(workspace=workspace, sample_id=sample_id)
    assert refused(lambda: server.samples.GetSample(get)).code == grpc.StatusCode.NOT_FOUND


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
