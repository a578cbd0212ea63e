"""`serve --store --objects`: models and data sets of one server are those of all."""

from __future__ import annotations

from pathlib import Path

import grpc
import numpy as np
import pytest
from haleganada.v1 import dataset_service_pb2 as datasets
from haleganada.v1 import dataset_service_pb2_grpc as dataset_stubs
from haleganada.v1 import model_service_pb2 as models
from haleganada.v1 import model_service_pb2_grpc as model_stubs
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada_server.core.datasets.dataset import DatasetOptions
from haleganada_server.core.errors import Precondition

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.support.datasets import folders_of, write_zip
from tests.support.tiny_model import TinyModel, write_tiny_model
from tests.support.waiting import wait_until

pytest.importorskip("s3fs", reason="the extra cluster is not installed")


@pytest.fixture
def pair(
    start_server: StartServer, database_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[RunningServer]:
    """Two servers on one database, with one folder of objects."""
    objects = str(tmp_path / "objects")
    return [
        start_server(store=database_url, objects=objects, data_dir=tmp_path_factory.mktemp("data")) for _ in range(2)
    ]


def test_a_model_answers_at_each_server(pair: list[RunningServer], tmp_path: Path) -> None:
    one, other = pair
    raster = np.full((128, 128), 255, np.uint8)
    model_id = one.app.models.register(write_tiny_model(tmp_path, TinyModel({"ಕ": raster}, name="shared")))
    found = other.ocr.Predict(ocr.PredictRequest(glyph=cross(2), model="shared"))
    assert [candidate.label for candidate in found.candidates] == ["ಕ"]
    stub = model_stubs.ModelServiceStub(other.channel)
    assert model_id in [model.model_id for model in stub.ListModels(models.ListModelsRequest()).models]
    stub.DeleteModel(models.DeleteModelRequest(model_id=model_id))
    wait_until(lambda: _is_gone(one), 10)


def _is_gone(server: RunningServer) -> bool:
    try:
        server.ocr.Predict(ocr.PredictRequest(glyph=cross(2), model="shared"))
    except grpc.RpcError as error:
        return bool(error.code() is grpc.StatusCode.NOT_FOUND)
    return False


def test_a_data_set_is_listed_and_deleted_at_each_server(pair: list[RunningServer], tmp_path: Path) -> None:
    one, other = (dataset_stubs.DatasetServiceStub(server.channel) for server in pair)
    path = write_zip(tmp_path / "drawings.zip", folders_of(["ಕ", "ಖ"]))
    dataset_id = pair[0].app.datasets.add(path, path.name, DatasetOptions(name="drawings")).dataset_id
    (listed,) = other.ListDatasets(datasets.ListDatasetsRequest()).datasets
    assert (listed.dataset_id, listed.name) == (dataset_id, "drawings")
    other.DeleteDataset(datasets.DeleteDatasetRequest(dataset_id=dataset_id))
    assert not one.ListDatasets(datasets.ListDatasetsRequest()).datasets


def test_objects_without_a_database_are_refused(start_server: StartServer, tmp_path: Path) -> None:
    with pytest.raises(Precondition, match="--store"):
        start_server(objects=str(tmp_path / "objects"))
