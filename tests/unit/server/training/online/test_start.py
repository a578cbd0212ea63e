"""Going on from a model that was trained before, and from weights that somebody names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from haleganada_server.core.errors import DataLoss, InvalidInput, Precondition
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import WEIGHTS
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.export.exemplars import write_exemplars
from haleganada_server.training.export.model_files import read_card, write_model
from haleganada_server.training.online.start import Start, start_model, start_preset
from haleganada_server.training.presets import parameter_count, preset

from tests.unit.server.training.online.toy_script import drawing, lessons, recall, taught

KNOWN = "ಅಕಗಜ"


@pytest.fixture(scope="module")
def trained(cnn: Start, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a cnn36 that knows four letters."""
    folder = tmp_path_factory.mktemp("model")
    network = taught(cnn, OnlineConfig(replay=8), folder, lessons(KNOWN, shots=8)).published.learnable.network
    chosen = preset("cnn36")
    size, nothing = parameter_count(network), "0" * 64
    card = ModelCard(
        preset="cnn36",
        name="four letters",
        labels=tuple(KNOWN),
        preprocessing=chosen.preprocessing,
        temperature=1.5,
        parameters=size,
        created_us=1,
        dataset_name="toy",
        dataset_sha256=nothing,
        sha256={},
    )
    (folder / "model").mkdir()
    write_model(folder / "model", network, card)
    return folder / "model"


def test_a_trained_model_answers_at_once_as_it_was_trained(trained: Path, tmp_path: Path) -> None:
    start = start_model(trained)
    learner = taught(start, OnlineConfig(), tmp_path, [])
    assert learner.published.labels == tuple(KNOWN)
    raster = drawing("ಕ", 60)
    with torch.no_grad():
        logits = start.learnable.network(start.learnable.features(raster)[None].float())
    expected = (logits / 1.5).softmax(1)[0].numpy()
    assert learner.published.probabilities(raster[None])[0] == pytest.approx(expected, abs=1e-6)


def test_its_labels_keep_their_numbers_when_another_is_taught(trained: Path, tmp_path: Path) -> None:
    learner = taught(start_model(trained), OnlineConfig(), tmp_path, lessons("ತಕ"))
    assert learner.published.labels == (*KNOWN, "ತ")


def test_what_it_was_trained_with_is_replayed(trained: Path, tmp_path: Path) -> None:
    memory, config = tuple(lessons(KNOWN, shots=3)), OnlineConfig(replay=12)
    script = lessons("ತನ", shots=2)
    kept = recall(taught(start_model(trained, memory), config, tmp_path, script), KNOWN)
    lost = recall(taught(start_model(trained), config, tmp_path, script), KNOWN)
    assert np.mean(list(kept.values())) >= 0.75
    assert np.mean(list(lost.values())) <= np.mean(list(kept.values())) - 0.25


def test_a_model_that_keeps_drawings_remembers_them_by_itself(trained: Path, tmp_path: Path) -> None:
    for file in trained.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    kept = lessons(KNOWN, shots=2)
    rows = [np.stack([sample.raster for sample in kept if sample.label == label]) for label in KNOWN]
    write_exemplars(tmp_path, read_card(tmp_path), rows)
    start = start_model(tmp_path)
    assert [sample.digest() for sample in start.memory] == [sample.digest() for sample in kept]
    assert start_model(tmp_path, ()).sha256() == start_model(trained).sha256() != start.sha256()


def test_memory_of_labels_that_the_model_does_not_know_is_refused(trained: Path) -> None:
    with pytest.raises(InvalidInput, match="does not know ನ"):
        start_model(trained, tuple(lessons("ಅನ")))


def test_starts_that_differ_in_anything_have_other_names(trained: Path) -> None:
    start = start_model(trained)
    others = [replace(start, temperature=2.0), replace(start, memory=tuple(lessons("ಅ")))]
    assert len({found.sha256() for found in (start, *others)}) == 3
    assert start_model(trained).sha256() == start.sha256()


def test_a_model_that_was_changed_is_refused(trained: Path, tmp_path: Path) -> None:
    for file in trained.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / WEIGHTS).write_bytes((tmp_path / WEIGHTS).read_bytes()[:-1] + b"x")
    with pytest.raises(DataLoss):
        start_model(tmp_path)


def test_the_backbone_of_the_named_file_is_used(backbone_file: Path, transformer: Start) -> None:
    assert transformer.learnable.shape == (49, 512)
    assert start_preset("resnet50-transformer", 7, backbone_file).sha256() == transformer.sha256()


def test_a_file_that_holds_no_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Precondition, match="--backbone-weights"):
        start_preset("resnet50-transformer", 7, tmp_path / "nothing.safetensors")
