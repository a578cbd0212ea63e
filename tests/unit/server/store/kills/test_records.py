"""Jobs, models, networks that learn online and uploads under kill -9 between two steps: as before, or as after."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.jobs.job import JobState
from haleganada_server.core.models.files import require_intact
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.online_status import OnlineLearning
from haleganada_server.store import DataDirectory
from haleganada_server.store.datasets.uploads import Uploads
from haleganada_server.store.jobs import JobFolders
from haleganada_server.store.learners import LearnerFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.vision import PillowRasterizer

from tests.support.tiny_model import TinyModel, write_tiny_model
from tests.unit.server.store.kills.killed import run_until_killed

MODEL = TinyModel({"a": np.full((128, 128), 255, np.uint8)})
ID = "a" * 12
CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()

SAVE_JOB = """
from haleganada_server.core.jobs.job import Job, JobKind, JobState
from haleganada_server.store.jobs import JobFolders
folders = JobFolders(data / "jobs", directory.temporary_file)
for state in (JobState.QUEUED, JobState.RUNNING):
    folders.save(Job(job_id="a" * 12, kind=JobKind.TRAINING, state=state, created_us=1, request={}))
folders.delete("a" * 12)
"""
CHANGE_MODELS = """
from haleganada_server.store.models import ModelFolders
folders = ModelFolders(data / "models", directory.temporary_file)
kept = folders.add(data / "made", "b" * 12)
folders.save_active({"w": "b" * 12})
folders.remove(folders.all()[0])
"""
LEARN = """
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.online_status import OnlineLearning
from haleganada_server.store.learners import LearnerFolders
folders = LearnerFolders(data / "online")
folder = folders.create("w", OnlineLearning("cnn36", OnlineConfig()))
(folder / "learned-1.safetensors").write_bytes(b"x")
folders.remove(folder)
"""
UPLOAD = f"""
from haleganada_server.store.datasets.uploads import Uploads
content = bytes(range(256)) * 40
uploads = Uploads(data / "uploads", 10**6)
uploads.receive("{SHA256}", 0, [content[:5000], content[5000:]])
uploads.remove("{SHA256}")
"""


@pytest.fixture
def opened(data: Path) -> DataDirectory:
    """The data directory, once a killed process has left it."""
    return DataDirectory(data, PillowRasterizer())


@pytest.mark.parametrize(
    ("point", "state"),
    [
        ("job.made", None),
        ("move.synced", None),
        ("move.renamed", JobState.QUEUED),
        ("job.saved", JobState.QUEUED),
        ("job.made=2", JobState.QUEUED),
        ("move.synced=2", JobState.QUEUED),
        ("job.saved=2", JobState.RUNNING),
        ("remove.renamed", None),
    ],
)
def test_a_job_that_is_saved_and_deleted(data: Path, point: str, state: JobState | None) -> None:
    run_until_killed(SAVE_JOB, data, point)
    directory = DataDirectory(data, PillowRasterizer())
    jobs = JobFolders(data / "jobs", directory.temporary_file).load()
    assert [job.state for job in jobs] == ([] if state is None else [state])
    files = [path.relative_to(data / "jobs").as_posix() for path in (data / "jobs").rglob("*")]
    assert files == ([] if state is None else [ID, f"{ID}/job.json"]) and not list((data / "tmp").iterdir())
    directory.close()


@pytest.mark.parametrize(
    ("point", "models", "is_active"),
    [
        ("model.synced", "a", False),
        ("model.renamed", "ab", False),
        ("move.synced", "ab", False),
        ("move.renamed", "ab", True),
        ("model.activated", "ab", True),
        ("remove.renamed", "b", True),
        ("model.removed", "b", True),
    ],
)
def test_models_that_are_added_activated_and_removed(data: Path, point: str, models: str, is_active: bool) -> None:
    folders = ModelFolders(data / "models", lambda: data / "unused")
    folders.add(write_tiny_model(data, MODEL), ID)
    write_tiny_model(data, MODEL).rename(data / "made")
    run_until_killed(CHANGE_MODELS, data, point)
    directory = DataDirectory(data, PillowRasterizer())
    found = ModelFolders(data / "models", directory.temporary_file)
    assert [model.model_id for model in found.all()] == [letter * 12 for letter in models]
    for model in found.all():
        require_intact(model.folder, model.card, model.card.sha256)
    assert found.load_active() == ({"w": "b" * 12} if is_active else {})
    assert not list((data / "tmp").iterdir())
    directory.close()


@pytest.mark.parametrize("point", ["learner.made", "learner.removing", "learner.removed"])
def test_the_folder_of_a_network_that_learns_online(data: Path, point: str) -> None:
    run_until_killed(LEARN, data, point)
    folders = LearnerFolders(data / "online")
    folder = folders.create("w", OnlineLearning("cnn36", OnlineConfig()))
    folders.retain([folder])
    assert list((data / "online").iterdir()) == [folder], "it can go on"
    folders.retain([])
    assert not list((data / "online").iterdir())


@pytest.mark.parametrize(
    ("point", "received"),
    [("upload.opened", 0), ("upload.grown", 5000), ("upload.received", len(CONTENT)), ("upload.removed", 0)],
)
def test_an_upload_goes_on_where_it_was(data: Path, point: str, received: int) -> None:
    run_until_killed(UPLOAD, data, point)
    uploads = Uploads(data / "uploads", 10**6)
    assert uploads.bytes_received(SHA256) == received
    assert uploads.receive(SHA256, received, [CONTENT[received:]]).read_bytes() == CONTENT
