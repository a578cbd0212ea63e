"""Damages files of models, data sets, jobs and readings and counts what follows: refused, told, harmless, or silent.

Each round copies a data directory, damages one file, reads everything as a server does that needs it, and compares it
with what was there before. Silent is a difference that nothing tells.
"""

from __future__ import annotations

import random
import secrets
import shutil
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from haleganada_server.core.datasets.dataset import DatasetOptions
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.jobs.job import Job, JobKind, JobState, Progress
from haleganada_server.core.models.files import ONNX
from haleganada_server.core.reading.corrections.corrections import GlyphNaming, JournalEntry
from haleganada_server.core.reading.page import PageReading
from haleganada_server.store.datasets.folders import DatasetFolders
from haleganada_server.store.jobs import JobFolders
from haleganada_server.store.models import ModelFolders
from haleganada_server.store.readings.folders import ReadingFolders

from tests.bench.damage.damages import damage_file, listen
from tests.support.datasets import drawings, write_npz
from tests.support.tiny_model import TinyModel, write_tiny_model

_DATASET_FILES = ("dataset.json", "rasters.npy", "labels.npy", "parts.npy")
_FILES = (
    "models/*/model.json",
    "models/*/model.onnx",
    "models/active.json",
    *(f"datasets/*/{name}" for name in _DATASET_FILES),
    "jobs/*/job.json",
    *(f"readings/*/{name}" for name in ("reading.json", "document", "page-*.json", "*.corrections", "*.acknowledged")),
)
_UNNOTICED_IF_MISSING = ("models/active.json", "jobs/*/job.json")
"""Files whose absence is a state of its own: no workspace answers with a model; a job was begun on a full disk."""


def make_records(data: Path) -> None:
    """Write a model that answers for a workspace, a data set, a job and a corrected reading."""
    for name in ("models", "tmp"):
        (data / name).mkdir(parents=True)
    models = ModelFolders(data / "models", lambda: data / "tmp" / "x")
    raster = np.zeros((128, 128), np.uint8)
    raster[40:80, 30:60] = 255
    made = TinyModel({"a": raster, "b": raster.T.copy()})
    models.add(write_tiny_model(data / "tmp", made), "a" * 12)
    models.add(write_tiny_model(data / "tmp", made), "b" * 12)
    models.save_active({"w": "a" * 12})
    datasets = Datasets(DatasetFolders(data / "datasets", lambda: data / "tmp" / "y"), lambda _id: False)
    path = write_npz(data / "tmp" / "s.npz", x=drawings(20), y=[number % 4 for number in range(20)])
    datasets.add(path, path.name, DatasetOptions(name="set"))
    job = Job(
        job_id="c" * 12,
        kind=JobKind.TRAINING,
        state=JobState.SUCCEEDED,
        created_us=10**15,
        request={"name": "kept", "seed": 7},
        progress=Progress(stage="training", done=3, total=3),
        result={"accuracy": 0.75},
    )
    JobFolders(data / "jobs", lambda: data / "tmp" / "z").save(job)
    _make_reading(_open_readings(data))


def _open_readings(data: Path) -> ReadingFolders:
    return ReadingFolders(data / "readings", lambda: data / "tmp" / secrets.token_hex(4), retention_s=3600.0)


def _make_reading(store: ReadingFolders) -> None:
    document = store.receive()
    document.write(random.Random(0).randbytes(5000))
    draft = store.begin(document)
    draft.add(PageReading(page=1, width=9, height=9, blocks=()))
    reading_id = draft.finish("letter.png", 1, "w").reading_id
    for revision in (1, 2, 3):
        correction = GlyphNaming((revision,), "ಕ")
        entry = JournalEntry(
            revision=revision, time_us=revision, correction=correction, taught={revision: 9}, forgotten=(), next_id=9
        )
        store.append_correction(reading_id, 1, entry)


def read_records(data: Path) -> list[Any]:
    """Return everything that is read of models, data sets, jobs and readings when they are used. Raises DataLoss."""
    models = ModelFolders(data / "models", lambda: data / "tmp" / "x")
    found: list[Any] = [models.load_active(), JobFolders(data / "jobs", lambda: data / "tmp" / "z").load()]
    for model in models.all():
        model.require_card()
        network = models.get_file(model, ONNX).path.read_bytes()
        found.append((model.model_id, asdict(model.card), network))
    datasets = DatasetFolders(data / "datasets", lambda: data / "tmp" / "y")
    for info in datasets.all():
        folder = datasets.folder(info.dataset_id)
        arrays = [np.load(folder / name, allow_pickle=False) for name in _DATASET_FILES if name.endswith("npy")]
        found.append((info, [(array.dtype.kind, array.tolist()) for array in arrays]))
    readings = _open_readings(data)
    for reading in readings.newest("", 9):
        document = (readings.folder(reading.reading_id) / "document").read_bytes()
        page, corrections = readings.page(reading.reading_id, 1), readings.corrections(reading.reading_id, 1)
        found.append((reading, document, page, corrections))
    return found


def damage_once(original: Path, copy: Path, pattern: str, expected: list[Any], chance: random.Random) -> str:
    """Damage a file in a copy of the data directory; return what follows."""
    shutil.copytree(original, copy)
    damage_file(chance.choice(sorted(copy.glob(pattern))), chance, may_vanish=pattern not in _UNNOTICED_IF_MISSING)
    try:
        with listen() as told:
            found = read_records(copy)
    except DataLoss:
        return "refused"
    finally:
        shutil.rmtree(copy)
    if found == expected:
        return "harmless"
    return "told" if told.count else "SILENT"


def measure(rounds: int, seed: int = 0) -> dict[str, Counter[str]]:
    """Return how often each outcome followed, by file."""
    chance, outcomes = random.Random(seed), {pattern: Counter[str]() for pattern in _FILES}
    with tempfile.TemporaryDirectory() as folder:
        original = Path(folder) / "original"
        make_records(original)
        expected = read_records(original)
        for number in range(rounds):
            pattern = _FILES[number % len(_FILES)]
            outcomes[pattern][damage_once(original, Path(folder) / "copy", pattern, expected, chance)] += 1
    return outcomes
