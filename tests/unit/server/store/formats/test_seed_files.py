"""The seed files: exactly the keys that existing scripts read, computed from the current state."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.workspaces.types import TransferFormat
from haleganada_server.store import DataDirectory
from haleganada_server.store.sample_log.log import SqliteLog
from PIL import Image

from tests.unit.server.store.formats.reading import require_items

Export = Callable[[TransferFormat], Path]


def test_the_log_has_the_ten_keys(export: Export) -> None:
    with zipfile.ZipFile(export(TransferFormat.SEED_FILES)) as file:
        records = json.loads(file.read("training_log.json"))
    assert records[1] == {
        "sample_id": 2,
        "timestamp": "2024-12-16T14:30:22.123458",
        "character": "ಕ್",
        "canonical_form": "ಕ",
        "character_index": 1,
        "loss": 1.0,
        "is_variant": True,
        "image_path": "training_images/U+0C95_0CCD/2_20241216_143022.png",
        "total_chars": 2,
        "vocab_size": 2,
    }
    assert [record["sample_id"] for record in records] == [1, 2, 3, 4]
    assert [record["character_index"] for record in records] == [0, 1, 2, 0]
    assert [record["total_chars"] for record in records] == [1, 2, 3, 3]


def test_the_summary_has_its_keys(export: Export) -> None:
    with zipfile.ZipFile(export(TransferFormat.SEED_FILES)) as file:
        summary = json.loads(file.read("training_summary.json"))
    assert summary == {
        "total_characters": 3,
        "total_samples": 4,
        "character_counts": {"ಕ": 2, "ಕ್": 1, "../<b>": 1},
        "average_losses": {"ಕ": 1.25, "ಕ್": 1.0, "../<b>": 1.5},
        "variant_groups": 1,
        "training_stats": {"min_loss": 0.5, "max_loss": 2.0, "avg_loss": 1.25},
    }


def test_every_record_has_its_picture_and_every_picture_its_record(export: Export) -> None:
    with zipfile.ZipFile(export(TransferFormat.SEED_FILES)) as file:
        paths = [record["image_path"] for record in json.loads(file.read("training_log.json"))]
        assert sorted([*paths, "training_log.json", "training_summary.json"]) == sorted(file.namelist())
        for path in paths:
            assert re.fullmatch(r"training_images/U\+[0-9A-F_]+/\d+_\d{8}_\d{6}\.png", path)
            with Image.open(io.BytesIO(file.read(path))) as picture:
                pixels = np.asarray(picture)
            assert picture.mode == "L" and pixels[0, 0] == 255 and pixels.min() < 50, "dark ink on white"


def test_an_empty_workspace_has_valid_files_too(directory: DataDirectory, log: SqliteLog) -> None:
    exported = directory.export(log, TransferFormat.SEED_FILES)
    with zipfile.ZipFile(exported.path) as file:
        assert json.loads(file.read("training_log.json")) == []
        losses = json.loads(file.read("training_summary.json"))["training_stats"]
    assert losses == {"min_loss": None, "max_loss": None, "avg_loss": None}


@pytest.mark.parametrize("form", [TransferFormat.SEED_FILES, None])
def test_their_pictures_can_be_imported(directory: DataDirectory, export: Export, form: TransferFormat | None) -> None:
    found = list(directory.read_import(export(TransferFormat.SEED_FILES), form))
    assert [item.label for item in require_items(found)] == ["ಕ", "ಕ್", "../<b>", "ಕ"] and len(found) == 4
