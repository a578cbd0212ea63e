"""Learning that starts from a trained model, and from a given file of weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from haleganada_server.core.errors import DataLoss, InvalidInput, Precondition
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import WEIGHTS, read_card
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.training.export.exemplars import write_exemplars
from haleganada_server.training.export.model_files import write_model
from haleganada_server.training.online.initial_model import InitialModel, build_initial_model, load_initial_model
from haleganada_server.training.presets import count_parameters, get_preset

from tests.unit.server.training.online.toy_script import draw_letter, make_samples, measure_recall, teach

KNOWN = "ಅಕಗಜ"


@pytest.fixture(scope="module")
def trained(cnn: InitialModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trained cnn36 that knows four letters."""
    folder = tmp_path_factory.mktemp("model")
    network = teach(cnn, OnlineConfig(replay=8), folder, make_samples(KNOWN, shots=8)).published.network.module
    chosen = get_preset("cnn36")
    size, nothing = count_parameters(network), "0" * 64
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


def test_a_trained_model_predicts_at_once_as_it_was_trained(trained: Path, tmp_path: Path) -> None:
    initial = load_initial_model(trained)
    learner = teach(initial, OnlineConfig(), tmp_path, [])
    assert learner.published.labels == tuple(KNOWN)
    raster = draw_letter("ಕ", 60)
    with torch.no_grad():
        logits = initial.network.module(initial.network.compute_features(raster)[None].float())
    expected = (logits / 1.5).softmax(1)[0].numpy()
    assert learner.published.probabilities(raster[None])[0] == pytest.approx(expected, abs=1e-6)


def test_its_labels_keep_their_numbers_when_another_is_taught(trained: Path, tmp_path: Path) -> None:
    learner = teach(load_initial_model(trained), OnlineConfig(), tmp_path, make_samples("ತಕ"))
    assert learner.published.labels == (*KNOWN, "ತ")


def test_exemplars_are_replayed(trained: Path, tmp_path: Path) -> None:
    exemplars, config = tuple(make_samples(KNOWN, shots=3)), OnlineConfig(replay=12)
    script = make_samples("ತನ", shots=2)
    kept = measure_recall(teach(load_initial_model(trained, exemplars), config, tmp_path, script), KNOWN)
    lost = measure_recall(teach(load_initial_model(trained), config, tmp_path, script), KNOWN)
    assert np.mean(list(kept.values())) >= 0.75
    assert np.mean(list(lost.values())) <= np.mean(list(kept.values())) - 0.25


def test_a_model_that_keeps_exemplars_brings_them_along(trained: Path, tmp_path: Path) -> None:
    for file in trained.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    kept = make_samples(KNOWN, shots=2)
    rows = [np.stack([sample.raster for sample in kept if sample.label == label]) for label in KNOWN]
    write_exemplars(tmp_path, read_card(tmp_path), rows)
    initial = load_initial_model(tmp_path)
    assert [sample.digest() for sample in initial.exemplars] == [sample.digest() for sample in kept]
    assert load_initial_model(tmp_path, ()).sha256() == load_initial_model(trained).sha256() != initial.sha256()


def test_exemplars_of_unknown_labels_are_refused(trained: Path) -> None:
    with pytest.raises(InvalidInput, match="does not know ನ"):
        load_initial_model(trained, tuple(make_samples("ಅನ")))


def test_initial_models_that_differ_in_anything_have_other_hashes(trained: Path) -> None:
    initial = load_initial_model(trained)
    others = [replace(initial, temperature=2.0), replace(initial, exemplars=tuple(make_samples("ಅ")))]
    assert len({found.sha256() for found in (initial, *others)}) == 3
    assert load_initial_model(trained).sha256() == initial.sha256()


def test_a_model_that_was_changed_is_refused(trained: Path, tmp_path: Path) -> None:
    for file in trained.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / WEIGHTS).write_bytes((tmp_path / WEIGHTS).read_bytes()[:-1] + b"x")
    with pytest.raises(DataLoss):
        load_initial_model(tmp_path)


def test_the_backbone_of_the_named_file_is_used(backbone_file: Path, transformer: InitialModel) -> None:
    assert transformer.network.feature_shape == (49, 512)
    assert build_initial_model("resnet50-transformer", 7, [backbone_file]).sha256() == transformer.sha256()


def test_a_file_that_holds_no_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Precondition, match="--backbone-weights"):
        build_initial_model("resnet50-transformer", 7, [tmp_path / "nothing.safetensors"])
