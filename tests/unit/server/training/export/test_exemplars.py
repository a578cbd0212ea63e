"""Exemplars: what is written comes back, damage is noticed, and few are chosen of many labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.datasets.dataset import DatasetArrays, Part
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import EXEMPLARS, read_card
from haleganada_server.training.common.taught_drawing import Raster
from haleganada_server.training.common.training_data import TrainingData
from haleganada_server.training.export.exemplars import MOST_EACH, choose_exemplars, read_exemplars, write_exemplars
from haleganada_server.training.export.model_files import write_card
from haleganada_server.training.presets import get_preset

LABELS = ("a", "b", "ಅ")


def drawings(count: int, seed: int = 0) -> Raster:
    """Return (count, 64, 64) different drawings, none of them blank."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, 256, (count, 64, 64)).astype(np.uint8)


def card(labels: tuple[str, ...] = LABELS) -> ModelCard:
    return ModelCard(
        preset="cnn36",
        name="letters",
        labels=labels,
        preprocessing=get_preset("cnn36").preprocessing,
        temperature=1.0,
        parameters=1,
        created_us=1,
        dataset_name="drawn",
        dataset_sha256="0" * 64,
        sha256={},
    )


def dataset(counts: tuple[int, ...], part: Part = Part.TRAIN) -> TrainingData:
    """Return a data set with `counts` drawings of each label in `part`, and one of each in the test part."""
    of_part = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    labels = np.concatenate([of_part, np.arange(len(counts), dtype=np.int32)])
    parts = np.array([part] * len(of_part) + [Part.TEST] * len(counts), np.uint8)
    order = np.random.default_rng(1).permutation(len(labels))
    arrays = DatasetArrays(drawings(len(labels)), labels[order], parts[order], np.full(len(labels), -1, np.int32))
    return TrainingData(arrays, tuple(map(str, range(len(counts)))))


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    kept = [drawings(3, 1), drawings(0), drawings(2, 2)]
    known = write_exemplars(tmp_path, card(), kept)
    assert known == read_card(tmp_path)
    loaded = read_exemplars(tmp_path, known)
    assert [sample.label for sample in loaded] == ["a", "a", "a", "ಅ", "ಅ"]
    assert np.array_equal(np.stack([sample.raster for sample in loaded]), np.concatenate(kept))


def test_a_model_without_the_file_has_no_exemplars(tmp_path: Path) -> None:
    assert read_exemplars(tmp_path, card()) == ()


def test_a_file_that_was_changed_is_noticed(tmp_path: Path) -> None:
    known = write_exemplars(tmp_path, card(), [drawings(1)] * 3)
    (tmp_path / EXEMPLARS).write_bytes((tmp_path / EXEMPLARS).read_bytes()[:-1])
    with pytest.raises(DataLoss, match=r"SHA-256 of memory\.png"):
        read_exemplars(tmp_path, known)


def test_a_sheet_of_other_labels_is_noticed(tmp_path: Path) -> None:
    write_exemplars(tmp_path, card(), [drawings(1)] * 3)
    known = write_card(tmp_path, replace(card(), labels=("a", "b")), EXEMPLARS)
    with pytest.raises(DataLoss, match="a row of drawings for each label"):
        read_exemplars(tmp_path, known)


def test_exemplars_of_each_label_come_from_the_training_part() -> None:
    data = dataset((20, 3, 0))
    chosen = choose_exemplars(data, seed=5)
    assert [len(own) for own in chosen] == [MOST_EACH, 3, 0]
    for label, own in enumerate(chosen):
        items = data.part(Part.TRAIN)
        trained = {raster.tobytes() for raster in data.rasters(items[data.targets(items) == label])}
        assert {raster.tobytes() for raster in own} <= trained
    again, other = choose_exemplars(data, seed=5), choose_exemplars(data, seed=6)
    assert np.array_equal(chosen[0], again[0]) and not np.array_equal(chosen[0], other[0])


@pytest.mark.parametrize(("labels", "each"), [(100, 8), (200, 5), (657, 1), (1500, 1)])
def test_many_labels_get_few_exemplars_each(labels: int, each: int) -> None:
    chosen = choose_exemplars(dataset((each + 1,) * labels), seed=0)
    assert {len(own) for own in chosen} == {each}
