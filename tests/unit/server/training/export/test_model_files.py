"""A model's folder: what is written is read back; damaged or unknown models are rejected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from haleganada_server.core.errors import DataLoss, Precondition
from haleganada_server.core.models.card import ModelCard, Preprocessing
from haleganada_server.core.models.files import CARD, WEIGHTS
from haleganada_server.training.export.model_files import read_model, write_card, write_model
from haleganada_server.training.presets import count_parameters, get_preset
from torch import nn


def make_tiny_model(labels: tuple[str, ...] = ("a", "b", "ಅ"), name: str = "tiny-cnn") -> tuple[nn.Module, ModelCard]:
    """Return a small network with random weights, and its card."""
    torch.manual_seed(1)
    chosen = get_preset(name)
    network = chosen.build(len(labels), {}, None)
    card = ModelCard(
        preset=name,
        name="letters",
        labels=labels,
        preprocessing=chosen.preprocessing,
        temperature=1.25,
        parameters=count_parameters(network),
        created_us=1,
        dataset_name="drawn",
        dataset_sha256="0" * 64,
        sha256={},
        metrics={"validation_accuracy": 0.5},
    )
    return network, card


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    network, card = make_tiny_model()
    written = write_model(tmp_path, network, card)
    loaded, known = read_model(tmp_path)
    assert known == written == replace(card, sha256={WEIGHTS: written.sha256[WEIGHTS]})
    assert known.sizes == {WEIGHTS: (tmp_path / WEIGHTS).stat().st_size}
    ink = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(loaded(ink), network.eval()(ink))
    assert not loaded.training
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([CARD, WEIGHTS])


def test_options_are_kept(tmp_path: Path) -> None:
    chosen = get_preset("resnet50-transformer")
    options = {"backbone": "efficientnet-lite0"}
    network = chosen.build(2, options, None).eval()
    _, card = make_tiny_model(("a", "b"))
    card = replace(card, preset=chosen.name, preprocessing=chosen.preprocessing, options=options)
    write_model(tmp_path, network, card)
    loaded, _ = read_model(tmp_path)
    ink = torch.rand(1, 1, 224, 224)
    with torch.no_grad():
        assert torch.equal(loaded(ink), network(ink))


def test_a_changed_file_is_detected(tmp_path: Path) -> None:
    write_model(tmp_path, *make_tiny_model())
    content = bytearray((tmp_path / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(DataLoss, match=r"SHA-256 of model\.safetensors") as caught:
        read_model(tmp_path)
    assert caught.value.reason == "MODEL_DAMAGED"


@pytest.mark.parametrize("name", [CARD, WEIGHTS])
def test_a_missing_file_is_detected(tmp_path: Path, name: str) -> None:
    write_model(tmp_path, *make_tiny_model())
    (tmp_path / name).unlink()
    with pytest.raises(DataLoss, match=rf"{name} is missing"):
        read_model(tmp_path)


def test_tensors_of_another_preset_are_rejected(tmp_path: Path) -> None:
    network, card = make_tiny_model()
    write_model(tmp_path, network, replace(card, preset="cnn36"))
    with pytest.raises(Precondition, match=r"tensors do not match cnn36 with 3 labels; .*train it again") as caught:
        read_model(tmp_path)
    assert caught.value.reason == "MODEL_DOES_NOT_FIT"


def test_tensors_for_fewer_labels_are_rejected(tmp_path: Path) -> None:
    network, card = make_tiny_model()
    write_model(tmp_path, network, replace(card, labels=(*card.labels, "c")))
    with pytest.raises(Precondition, match="with 4 labels"):
        read_model(tmp_path)


def test_a_file_without_tensors_is_rejected(tmp_path: Path) -> None:
    _, card = make_tiny_model()
    (tmp_path / WEIGHTS).write_bytes(b"no tensors")
    write_card(tmp_path, card, WEIGHTS)
    with pytest.raises(Precondition, match="tensors do not match"):
        read_model(tmp_path)


def test_an_unknown_preset_is_rejected(tmp_path: Path) -> None:
    network, card = make_tiny_model()
    write_model(tmp_path, network, replace(card, preset="perceptron"))
    with pytest.raises(Precondition, match="has no preset “perceptron”") as caught:
        read_model(tmp_path)
    assert caught.value.reason == "PRESET_UNKNOWN"


def test_a_model_with_other_preprocessing_is_rejected(tmp_path: Path) -> None:
    network, card = make_tiny_model()
    write_model(tmp_path, network, replace(card, preprocessing=Preprocessing(side=32, dark_ink=True)))
    with pytest.raises(Precondition, match="preprocesses ink for tiny-cnn differently"):
        read_model(tmp_path)
