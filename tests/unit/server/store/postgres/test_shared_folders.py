"""Models and data sets that servers share: whole or not there, wherever they were added, and damage is told."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from haleganada_server.core.datasets.dataset import DatasetOptions
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.core.disk.failpoints import VARIABLE
from haleganada_server.core.errors import DataLoss, NotFound, Precondition, Unavailable
from haleganada_server.core.models.models import Models
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.vision import model_input

from tests.support.datasets import folders_of, write_zip
from tests.support.network.object_server import BUCKET, missing_s3, s3_server
from tests.support.preloaded import run_preloaded
from tests.support.tiny_model import TinyModel, write_tiny_model

pytest.importorskip("s3fs", reason="the extra cluster is not installed")

from fsspec.core import url_to_fs
from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.shared.catalog import Catalog
from haleganada_server.store.postgres.shared.datasets import SharedDatasets
from haleganada_server.store.postgres.shared.models import SharedModels
from haleganada_server.store.postgres.shared.object_store import ObjectStore
from haleganada_server.store.postgres.shared.places import Places

RASTER = np.full((128, 128), 255, np.uint8)


@dataclass(frozen=True)
class Replica:
    """What one server has."""

    folder: Path
    models: Models
    datasets: Datasets


Open = Callable[[str], Replica]


@pytest.fixture(scope="module")
def _s3() -> Iterator[None]:
    if problem := missing_s3():
        pytest.skip(problem)
    with s3_server():
        yield


@pytest.fixture(params=["folder", "s3"])
def objects_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty object store."""
    if request.param == "folder":
        return str(tmp_path / "objects")
    request.getfixturevalue("_s3")
    return f"s3://{BUCKET}/{uuid4()}"


def open_replica(folder: Path, database: Database, objects: ObjectStore) -> Replica:
    """Open what a server keeps in a folder of its own, and shares."""
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    models = SharedModels(
        folder / "models", lambda: temporary / uuid4().hex, (), Catalog(database, objects, "models"), retry_s=0
    )
    shared = SharedDatasets(
        folder / "datasets", lambda: temporary / uuid4().hex, Catalog(database, objects, "datasets")
    )
    return Replica(
        folder, Models(models, partial(OnnxClassifier, to_input=model_input)), Datasets(shared, lambda _: False)
    )


@pytest.fixture
def open_one(database_url: str, objects_url: str, tmp_path: Path) -> Iterator[Open]:
    """Opens a server's own folder by a name."""
    database = Database(database_url)
    yield lambda name: open_replica(tmp_path / name, database, ObjectStore(objects_url))
    database.close()


def add_model(replica: Replica, name: str = "tiny", scratch: str = "new") -> str:
    return replica.models.register(write_tiny_model(replica.folder / scratch, TinyModel({"ಕ": RASTER}, name=name)))


def add_dataset(replica: Replica, name: str = "drawings") -> str:
    path = write_zip(replica.folder / f"{name}.zip", folders_of(["ಕ", "ಖ"]))
    return replica.datasets.add(path, path.name, DatasetOptions(name=name)).dataset_id


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_model_of_one_server_is_at_all(open_one: Open) -> None:
    one, other = open_one("one"), open_one("other")
    model_id = add_model(one)
    found = other.models.get("tiny")
    assert found.model_id == model_id and read_all(found.folder) == read_all(one.models.get(model_id).folder)
    assert other.models.predictor(found)
    assert [model.model_id for model in open_one("third").models.all()] == [model_id]
    other.models.delete(model_id)
    assert one.models.all() == [] and not found.folder.exists()
    with pytest.raises(NotFound):
        one.models.get(model_id)
    assert open_one("one").models.all() == []  # nor does its copy come back


def test_a_data_set_is_copied_where_it_is_used(open_one: Open) -> None:
    one, other = open_one("one"), open_one("other")
    dataset_id = add_dataset(one)
    info = other.datasets.get("drawings")
    assert info == one.datasets.get(dataset_id) and not (other.folder / "datasets" / dataset_id).exists()
    assert read_all(other.datasets.folder(dataset_id)) == read_all(one.datasets.folder(dataset_id))
    again = open_one("other")
    assert [found.dataset_id for found in again.datasets.page()] == [dataset_id]
    again.datasets.delete(dataset_id)
    assert one.datasets.page() == [] and open_one("one").datasets.page() == []


def test_what_a_server_had_alone_becomes_that_of_all(open_one: Open, tmp_path: Path) -> None:
    alone = open_one("alone")
    model_id, dataset_id = add_model(alone), add_dataset(alone)
    for kind, name in (("models", model_id), ("datasets", dataset_id)):
        shutil.copytree(alone.folder / kind / name, tmp_path / "kept" / kind / name)
    alone.models.delete(model_id)
    alone.datasets.delete(dataset_id)
    for kind, name in (("models", "0" * 12), ("datasets", dataset_id)):  # the model as one of another id
        source = tmp_path / "kept" / kind / (model_id if kind == "models" else dataset_id)
        shutil.copytree(source, tmp_path / "old" / kind / name)
    old, other = open_one("old"), open_one("other")
    assert [model.model_id for model in other.models.all()] == ["0" * 12]
    assert old.datasets.page() == []  # it was deleted, and does not come back


def damage(objects_url: str, kind: str) -> tuple[Path, bytes]:
    """Change a byte of the largest file of a kind in a folder of objects; return the file, and what it was."""
    path = max((path for path in Path(objects_url, kind).rglob("*") if path.is_file()), key=lambda p: p.stat().st_size)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return path, content


@pytest.mark.parametrize("objects_url", ["folder"], indirect=True)
def test_damage_is_told_and_nothing_damaged_is_used(open_one: Open, objects_url: str) -> None:
    one, other = open_one("one"), open_one("other")
    model_id, dataset_id = add_model(one), add_dataset(one)
    path, content = damage(objects_url, "models")
    (listed,) = other.models.all()
    assert listed.model_id == model_id and "damaged" in other.models.describe_damage(listed)
    with pytest.raises(DataLoss, match="not what was written"):
        other.models.predictor(listed)
    path.write_bytes(content)  # as of a backup
    (listed,) = other.models.all()
    assert not other.models.describe_damage(listed) and other.models.predictor(listed)
    path, content = damage(objects_url, "datasets")
    with pytest.raises(DataLoss, match="not what was written"):
        other.datasets.folder(dataset_id)
    assert other.datasets.get(dataset_id).damage and not (other.folder / "datasets" / dataset_id).exists()
    path.write_bytes(content)
    other.datasets.folder(dataset_id)
    assert not other.datasets.get(dataset_id).damage
    path.unlink()
    with pytest.raises(DataLoss, match="missing"):
        open_one("third").datasets.folder(dataset_id)


@pytest.mark.parametrize("objects_url", ["folder"], indirect=True)
def test_an_object_store_that_is_away_takes_nothing_in(open_one: Open, objects_url: str) -> None:
    one, other = open_one("one"), open_one("other")
    add_model(one)
    assert len(other.models.all()) == 1
    shutil.rmtree(objects_url)
    Path(objects_url).write_bytes(b"a file in its place")
    folder = write_tiny_model(one.folder / "second", TinyModel({"ಖ": RASTER}, name="second"))
    with pytest.raises(Unavailable):
        one.models.register(folder)
    assert folder.is_dir() and len(one.models.all()) == len(other.models.all()) == 1
    with pytest.raises(Unavailable):
        add_dataset(one)
    assert one.datasets.page() == [] and list((one.folder / "datasets").iterdir()) == []


_REGISTER = """
import sys
from pathlib import Path
from tests.unit.server.store.postgres.test_shared_folders import *
folder, url, objects = sys.argv[1:]
replica = open_replica(Path(folder), Database(url), ObjectStore(objects))
add_model(replica)
"""


@pytest.mark.parametrize("objects_url", ["folder"], indirect=True)
@pytest.mark.parametrize(("point", "listed"), [("objects.written", 0), ("objects.listed", 1), ("model.synced", 1)])
def test_a_kill_leaves_a_model_whole_or_unlisted(
    open_one: Open, objects_url: str, database_url: str, tmp_path: Path, point: str, listed: int
) -> None:
    line = ["-c", _REGISTER, str(tmp_path / "one"), database_url, objects_url]
    done = run_preloaded(line, env={**os.environ, VARIABLE: point})
    assert done.returncode == -signal.SIGKILL, done.stderr
    for name in ("other", "one"):
        replica = open_one(name)
        assert len(replica.models.all()) == listed
        for model in replica.models.all():
            assert replica.models.predictor(model) and not replica.models.describe_damage(model)
    assert list_files(objects_url, "models")
    with closing(Database(database_url)) as database:
        places = Places(database, ObjectStore(objects_url))
        places.sweep()
        assert list_files(objects_url, "models"), "what is new may be an upload that goes on"
        places.sweep(0)
        assert bool(list_files(objects_url, "models")) == bool(listed)
        places.sweep(0)
    for model in (replica := open_one("third")).models.all():
        assert replica.models.predictor(model)


def list_files(objects_url: str, kind: str) -> list[str]:
    fs, root = url_to_fs(objects_url)
    return sorted(fs.find(f"{root}/{kind}"))


def test_a_sweep_takes_no_upload_from_another_server(
    open_one: Open, objects_url: str, database_url: str, tmp_path: Path
) -> None:
    one, other = open_one("one"), open_one("other")
    kept = add_model(one)
    listed, folder = list_files(objects_url, "models"), write_tiny_model(tmp_path / "new", TinyModel({"ಖ": RASTER}))
    with closing(Database(database_url)) as database:
        objects = ObjectStore(objects_url)
        places, catalog = Places(database, objects), Catalog(database, objects, "models")
        with pytest.raises(Unavailable, match="repeat the call"):
            catalog.publish("1" * 12, folder, guard=lambda _connection: places.sweep(0))
        assert list_files(objects_url, "models") == listed, "what was given up is not listed, and leaves nothing"
        assert catalog.publish("2" * 12, folder, guard=lambda _connection: places.sweep())
        places.sweep(0)
    assert {model.model_id for model in other.models.all()} == {kept, "2" * 12}
    assert all(other.models.predictor(model) for model in other.models.all())
    other.models.delete(kept)
    assert not set(listed) & set(list_files(objects_url, "models"))


def test_addresses_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for url in (str(tmp_path / "file" / "objects"), "nothing://bucket", "s3://no-such-bucket-anywhere-here/x"):
        if url.startswith("s3") and "AWS_ENDPOINT_URL" not in os.environ:
            continue
        with pytest.raises(Precondition, match="--objects"):
            ObjectStore(url)
