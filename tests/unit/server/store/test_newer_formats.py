"""Files of a newer version of the server, other than logs: each is listed, told from a damaged one, and left alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.disk.checksum import NEWER, seal, unseal
from haleganada_server.core.jobs.job import Job, JobKind, JobState
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.store.jobs import JobFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.store.share_limits import LimitsFile
from haleganada_server.store.verification import verify_others

from tests.support.tiny_model import TinyModel, write_tiny_model

ID = "a" * 12
DRAWING = np.full((128, 128), 255, np.uint8)


def raise_format(path: Path) -> None:
    """Make a sealed file one of the next format, with a field that this version does not know."""
    entry = unseal(json.loads(path.read_text(encoding="utf-8")))
    path.write_text(json.dumps(seal({**entry, "format": entry["format"] + 1, "later": 1})), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a job, a model, a data set and a reading of a newer version."""
    jobs, models = JobFolders(tmp_path / "jobs", Path), ModelFolders(tmp_path / "models", Path)
    jobs.save(Job(job_id=ID, kind=JobKind.TRAINING, state=JobState.SUCCEEDED, created_us=1, request={}))
    raise_format(tmp_path / "jobs" / ID / "job.json")
    models.add(write_tiny_model(tmp_path, TinyModel({"a": DRAWING})), ID)
    raise_format(tmp_path / "models" / ID / "model.json")
    for folder, name in (("datasets", "dataset.json"), ("readings", "reading.json")):
        place = tmp_path / folder / ID
        place.mkdir(parents=True)
        (place / name).write_text(json.dumps(seal({"format": 2})), encoding="utf-8")
    return tmp_path


def test_verify_tells_what_is_newer(data: Path) -> None:
    checked = list(verify_others(data))
    assert [found.what for found in checked] == [f"{kind} {ID}" for kind in ("model", "data set", "job", "reading")]
    for found in checked:
        assert found.newer and NEWER in found.problem and not found.hint, "and advises to delete nothing"


def test_lists_tell_it_too_and_delete_nothing(data: Path) -> None:
    (job,) = JobFolders(data / "jobs", Path).load()
    assert job.state is JobState.FAILED and NEWER in job.error
    (info,) = DatasetFolders(data / "datasets", Path).all()
    assert NEWER in info.damage and "Delete" not in info.damage
    (model,) = ModelFolders(data / "models", Path).all()
    assert NEWER in model.card_damage and "delete" not in model.card_damage
    assert len(list(data.rglob(f"{ID}/*.json"))) >= 4


def test_limits_and_tokens_of_a_newer_version_are_refused(data: Path) -> None:
    (data / "access").mkdir()
    (data / "access" / "limits.json").write_text(json.dumps(seal({"format": 99})), encoding="utf-8")
    with pytest.raises(Exception, match="written by a newer version; update the server"):
        LimitsFile(data).read()
    (*_, limits) = verify_others(data)
    assert limits.what == "limits" and limits.problem and limits.newer
