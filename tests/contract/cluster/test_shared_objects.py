"""`serve --store --objects`: models and data sets of one server are those of all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import numpy as np
import pytest
from haleganada.v1 import common_pb2
from haleganada.v1 import dataset_service_pb2 as datasets
from haleganada.v1 import dataset_service_pb2_grpc as dataset_stubs
from haleganada.v1 import model_service_pb2 as models
from haleganada.v1 import model_service_pb2_grpc as model_stubs
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada_server.core.datasets.dataset import DatasetOptions
from haleganada_server.core.errors import Precondition

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.contract.refusals import expect_refusal
from tests.contract.teaching import teach
from tests.support.datasets import folders_of, write_zip
from tests.support.network.object_server import BUCKET, missing_s3, s3_server
from tests.support.postgres import execute, fetch_all
from tests.support.slow import slow
from tests.support.tiny_model import TinyModel, write_tiny_model
from tests.support.waiting import wait_until

pytest.importorskip("s3fs", reason="the extra cluster is not installed")


@pytest.fixture(params=["folder", *slow("s3")])
def any_pair(
    request: pytest.FixtureRequest, start_server: StartServer, database_url: str, tmp_path: Path
) -> Iterator[list[RunningServer]]:
    """Two servers on one database, with one folder of objects, or one bucket."""
    with ExitStack() as stack:
        objects = str(tmp_path / "objects")
        if request.param == "s3":
            if problem := missing_s3():
                pytest.skip(problem)
            stack.enter_context(s3_server())
            objects = f"s3://{BUCKET}/servers"
        yield [start_server(store=database_url, objects=objects, data_dir=tmp_path / name) for name in ("one", "other")]


def test_a_model_answers_at_each_server(any_pair: list[RunningServer], tmp_path: Path) -> None:
    one, other = any_pair
    raster = np.full((128, 128), 255, np.uint8)
    model_id = one.app.models.register(write_tiny_model(tmp_path, TinyModel({"ಕ": raster}, name="shared")))
    found = other.ocr.Predict(ocr.PredictRequest(glyph=cross(2), model="shared"))
    assert [candidate.label for candidate in found.candidates] == ["ಕ"]
    stub = model_stubs.ModelServiceStub(other.channel)
    assert model_id in [model.model_id for model in stub.ListModels(models.ListModelsRequest()).models]
    stub.DeleteModel(models.DeleteModelRequest(model_id=model_id))
    wait_until(lambda: _is_gone(one), 10)


def test_a_model_that_answers_for_a_workspace_does_so_at_all_servers(
    any_pair: list[RunningServer], tmp_path: Path
) -> None:
    one, other = any_pair
    raster = np.full((128, 128), 255, np.uint8)
    model_id = one.app.models.register(write_tiny_model(tmp_path, TinyModel({"ಕ": raster}, name="shared")))
    stubs = [model_stubs.ModelServiceStub(server.channel) for server in any_pair]
    stubs[0].ActivateModel(models.ActivateModelRequest(model_id="shared"))
    for server in any_pair:
        wait_until(lambda: predict(server).model == model_id, 10)  # noqa: B023 - asked at once
    refusal = expect_refusal(lambda: stubs[1].DeleteModel(models.DeleteModelRequest(model_id=model_id)))
    assert refusal.reason == "MODEL_IN_USE"
    other.stop()
    one.app.cluster.stop_following()  # type: ignore[union-attr]
    stubs[0].ActivateModel(models.ActivateModelRequest(model_id="few-shot"))
    stubs[0].DeleteModel(models.DeleteModelRequest(model_id=model_id))
    assert predict(one).model == "few-shot"


def predict(server: RunningServer) -> ocr.PredictResponse:
    return server.ocr.Predict(ocr.PredictRequest(glyph=cross(2)))


def _is_gone(server: RunningServer) -> bool:
    try:
        server.ocr.Predict(ocr.PredictRequest(glyph=cross(2), model="shared"))
    except grpc.RpcError as error:
        return bool(error.code() is grpc.StatusCode.NOT_FOUND)
    return False


def test_a_data_set_is_listed_and_deleted_at_each_server(any_pair: list[RunningServer], tmp_path: Path) -> None:
    one, other = (dataset_stubs.DatasetServiceStub(server.channel) for server in any_pair)
    path = write_zip(tmp_path / "drawings.zip", folders_of(["ಕ", "ಖ"]))
    dataset_id = any_pair[0].app.datasets.add(path, path.name, DatasetOptions(name="drawings")).dataset_id
    (listed,) = other.ListDatasets(datasets.ListDatasetsRequest()).datasets
    assert (listed.dataset_id, listed.name) == (dataset_id, "drawings")
    other.DeleteDataset(datasets.DeleteDatasetRequest(dataset_id=dataset_id))
    assert not one.ListDatasets(datasets.ListDatasetsRequest()).datasets


def test_servers_remove_what_killed_ones_have_left(
    start_server: StartServer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haleganada_server.cluster._SWEEP_S", 0.1)
    objects = tmp_path / "objects"
    start_server(store=database_url, objects=str(objects))
    for name in ("left", "new", "foreign"):
        (objects / "models" / name).mkdir(parents=True)
        (objects / "models" / name / "model.onnx").write_bytes(b"x")
    for name, age in (("left", "2 days"), ("new", "2 hours")):
        values = f"('models/{name}', false, now() - interval '{age}')"
        execute(database_url, f"INSERT INTO haleganada.unlisted_places (place, useless, since) VALUES {values}")
    wait_until(lambda: fetch_all(database_url, "SELECT place FROM haleganada.unlisted_places") == [("models/new",)], 10)
    assert sorted(path.name for path in (objects / "models").iterdir()) == ["foreign", "new"]


def test_a_snapshot_is_restored_at_each_server(any_pair: list[RunningServer]) -> None:
    one, other = any_pair
    taught = teach(one, "default", "ಕ")
    kept = one.ocr.Save(ocr.SaveRequest(name="kept")).snapshot
    assert [info.snapshot_id for info in list_snapshots(other)] == [kept.snapshot_id]
    reset = other.ocr.Reset(ocr.ResetRequest(confirm="default"))
    assert {info.snapshot_id for info in list_snapshots(one)} == {kept.snapshot_id, reset.snapshot.snapshot_id}
    restore = workspaces.RestoreSnapshotRequest(workspace="default", snapshot_id=kept.snapshot_id)
    assert other.workspaces.RestoreSnapshot(restore).workspace.samples_total == 1
    again = workspaces.RestoreSnapshotRequest(workspace="default", snapshot_id=reset.snapshot.snapshot_id)
    restored = one.workspaces.RestoreSnapshot(again).workspace
    assert restored.samples_total == 1 and restored.revision > taught.revision
    for info in list_snapshots(one):
        gone = workspaces.DeleteSnapshotRequest(workspace="default", snapshot_id=info.snapshot_id, confirm="default")
        one.workspaces.DeleteSnapshot(gone)
    assert not list_snapshots(other) and not list((other.app.config.data_dir / "workspaces").rglob("*.sqlite3"))


def test_a_damaged_snapshot_is_not_restored(pair: list[RunningServer], tmp_path: Path) -> None:
    one, other = pair
    teach(one, "default", "ಕ")
    kept = one.ocr.Save(ocr.SaveRequest()).snapshot
    (file,) = (tmp_path / "objects").rglob(f"{kept.snapshot_id}.sqlite3")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"?")
    restore = workspaces.RestoreSnapshotRequest(workspace="default", snapshot_id=kept.snapshot_id)
    refusal = expect_refusal(lambda: other.workspaces.RestoreSnapshot(restore))
    assert refusal.code is grpc.StatusCode.DATA_LOSS and kept.snapshot_id in refusal.message
    file.write_bytes(content)
    assert other.workspaces.RestoreSnapshot(restore).workspace.samples_total == 1


def test_what_the_object_store_does_not_take_is_offered_again(pair: list[RunningServer], tmp_path: Path) -> None:
    one, other = pair
    teach(one, "default", "ಕ")
    objects = tmp_path / "objects"
    objects.rename(tmp_path / "away")
    objects.write_bytes(b"a file in its place")
    kept = one.ocr.Save(ocr.SaveRequest()).snapshot
    assert [info.snapshot_id for info in list_snapshots(one)] == [kept.snapshot_id] and not list_snapshots(other)
    objects.unlink()
    (tmp_path / "away").rename(objects)
    wait_until(lambda: [info.snapshot_id for info in list_snapshots(other)] == [kept.snapshot_id], 10)


def list_snapshots(server: RunningServer) -> list[common_pb2.Snapshot]:
    return list(server.workspaces.ListSnapshots(workspaces.ListSnapshotsRequest(workspace="default")).snapshots)


def test_objects_without_a_database_are_refused(start_server: StartServer, tmp_path: Path) -> None:
    with pytest.raises(Precondition, match="--store"):
        start_server(objects=str(tmp_path / "objects"))
