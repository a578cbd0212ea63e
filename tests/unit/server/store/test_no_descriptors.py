"""Without a free descriptor nothing is skipped, forgotten or called damaged: everything is there again afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import Exhausted
from haleganada_server.core.machine_errors import to_machine_error
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.store import DataDirectory
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.store.datasets.sources.file_tree import FolderTree
from haleganada_server.store.datasets.uploads import Uploads
from haleganada_server.store.jobs import JobFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.vision import model_input

from tests.support.datasets import drawings, write_npz
from tests.support.tiny_model import TinyModel, write_tiny_model
from tests.unit.server.store.datasets.test_folders import World
from tests.unit.server.store.descriptors import no_free_descriptors

RASTER = np.zeros((128, 128), np.uint8)
RASTER[40:80, 40:80] = 255


def read_workspaces(root: Path) -> Callable[[], object]:
    directory = DataDirectory(root, rasterizer=None)  # type: ignore[arg-type]
    log = directory.create("w")
    directory.save(log, "kept")
    log.close()
    return lambda: [directory.names(), directory.snapshots("w"), directory.open("w")]


def read_models(root: Path) -> Callable[[], object]:
    folders = make_models(root)
    folders.save_active({"w": "a" * 12})
    return lambda: (folders.all(), folders.load_active())


def load_model(root: Path) -> Callable[[], object]:
    model = make_models(root).all()[0]
    return partial(OnnxClassifier, model.folder, model.card, model_input)


def make_models(root: Path) -> ModelFolders:
    numbers = itertools.count()
    (root / "tmp").mkdir(parents=True)
    folders = ModelFolders(root / "models", lambda: root / "tmp" / str(next(numbers)))
    folders.add(write_tiny_model(root, TinyModel({"a": RASTER, "b": RASTER.T.copy()})), "a" * 12)
    return folders


def read_datasets(root: Path) -> Callable[[], object]:
    root.mkdir()
    World(root).add(write_npz(root / "s.npz", x=drawings(4), y=[0, 1, 0, 1]))
    return DatasetFolders(root / "datasets", lambda: root / "new").all


def read_jobs(root: Path) -> Callable[[], object]:
    folders = make_jobs(root)
    (root / "jobs" / ("a" * 12)).mkdir()
    (root / "jobs" / ("a" * 12) / "job.json").write_text("{}")
    return folders.load


def make_jobs(root: Path) -> JobFolders:
    root.mkdir()
    return JobFolders(root / "jobs", lambda: root / "new")


def read_source(root: Path) -> Callable[[], object]:
    root.mkdir()
    (root / "a.png").write_bytes(b"x")
    return lambda: FolderTree(root).read("a.png")


def receive_upload(root: Path) -> Callable[[], object]:
    return lambda: Uploads(root, 100).receive("a" * 64, 0, [b"x"])


@pytest.mark.parametrize(
    "prepare", [read_workspaces, read_models, load_model, read_datasets, read_jobs, read_source, receive_upload]
)
def test_it_says_what_is_missing(tmp_path: Path, prepare: Callable[[Path], Callable[[], object]]) -> None:
    read = prepare(tmp_path / "data")
    with no_free_descriptors(), pytest.raises((Exhausted, OSError)) as caught:
        read()
    told = to_machine_error(caught.value) or caught.value  # as rpc/errors.py tells it
    assert isinstance(told, Exhausted) and told.reason == "TOO_MANY_OPEN_FILES"
