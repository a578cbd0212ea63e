"""Jobs that train on a tiny data set of lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from haleganada_server.core.datasets.dataset import DatasetOptions
from haleganada_server.core.datasets.datasets import Datasets
from haleganada_server.store.datasets.folders import DatasetFolders

from tests.support.line_sets import Row, make_table, write_files

Request = dict[str, Any]
RequestFor = Callable[..., Request]

WORDS = ("at", "to", "it", "on", "no", "in", "an", "as")


@pytest.fixture
def request_for(tmp_path: Path) -> RequestFor:
    """A function that builds the request to train on a few words, in a folder of the given name."""
    numbers = itertools.count()
    (tmp_path / "tmp").mkdir()
    store = DatasetFolders(tmp_path / "datasets", lambda: tmp_path / "tmp" / str(next(numbers)))
    datasets = Datasets(store, lambda _: False)

    def make(
        folder: str = "job", preset: str = "crnn-32x128", words: Sequence[str] = WORDS, start: str = "", **settings: Any
    ) -> Request:
        parts = [*["train"] * 3, "validation", "test"]
        rows: list[Row] = [
            (f"{number}.png", f"{word} {other}", "", part)
            for number, (word, other, part) in enumerate(
                (word, words[(place + 1 + turn) % len(words)], part)
                for place, word in enumerate(words)
                for turn, part in enumerate(parts[: len(words) - 1])
            )
        ]
        source = write_files(tmp_path / f"source-{next(numbers)}", make_table(rows))
        info = datasets.add(source, "lines", DatasetOptions("words"))
        (tmp_path / folder).mkdir(exist_ok=True)
        return {
            "kind": "training",
            "job_id": folder,
            "folder": str(tmp_path / folder),
            "preset": preset,
            "name": "words",
            "settings": {"epochs": 2, "batch_size": 8, **settings},
            "dataset": info.describe_for_process(datasets.folder(info.dataset_id)),
            "backbone_weights": [],
            "from_model": start,
        }

    return make
