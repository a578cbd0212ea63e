"""A classifier runs the network that its card describes, and no other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import DataLoss
from haleganada_server.core.models.card import ModelCard, Preprocessing
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.vision import model_input

from tests.support.tiny_model import SIDE, TinyModel, add_metadata, network, write_tiny_model

RASTERS = np.zeros((3, 128, 128), np.uint8)
RASTERS[0, :, 60:70] = RASTERS[1, 60:70] = RASTERS[2, 20:100, 20:100] = 255
LABELS = ("ಅ", "ಆ", "ಇ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path, TinyModel(dict(zip(LABELS, RASTERS, strict=True))))


def load_card(folder: Path) -> ModelCard:
    return ModelCard.from_json((folder / "model.json").read_bytes())


def replace_onnx(folder: Path, content: bytes) -> ModelCard:
    """Replace the ONNX file, and return the card with its SHA-256."""
    (folder / "model.onnx").write_bytes(content)
    card = load_card(folder)
    return replace(card, sha256={**card.sha256, "model.onnx": hashlib.sha256(content).hexdigest()})


@pytest.mark.parametrize("threads", [None, 1])
def test_each_drawing_has_its_label(folder: Path, threads: int | None) -> None:
    classifier = OnnxClassifier(folder, load_card(folder), model_input, threads)
    probabilities = classifier.classify(RASTERS)[0]
    assert classifier.labels == LABELS and probabilities.dtype == np.float64
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    many = classifier.classify(np.repeat(RASTERS, 30, axis=0))[0]
    np.testing.assert_allclose(many, np.repeat(probabilities, 30, axis=0), atol=1e-6)


def wrong_hash(folder: Path) -> ModelCard:
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")
    return load_card(folder)


def missing(folder: Path) -> ModelCard:
    (folder / "model.onnx").unlink()
    return load_card(folder)


def unmentioned(folder: Path) -> ModelCard:
    return replace(load_card(folder), sha256={})


def other_side(folder: Path) -> ModelCard:
    return replace(load_card(folder), preprocessing=Preprocessing(SIDE * 2))


def no_card_inside(folder: Path) -> ModelCard:
    inside = add_metadata(load_card(folder)).replace(b"tiny-cnn", b"tiny-c\xffn")
    return replace_onnx(folder, network(np.ones((SIDE**2, 3), np.float32)) + inside)


DAMAGE: dict[str, tuple[Callable[[Path], ModelCard], str]] = {
    "changed": (wrong_hash, "the SHA-256 of model.onnx is not"),
    "missing": (missing, "model.onnx is missing"),
    "no hash": (unmentioned, "does not list model.onnx"),
    "not ONNX": (lambda folder: replace_onnx(folder, b"MZ, or so it says"), "cannot load"),
    "other classes": (lambda folder: replace_onnx(folder, network(np.ones((SIDE**2, 5), np.float32))), "give 3 labels"),
    "other side": (other_side, "does not take ink of 32 px"),
    "other preset": (lambda folder: replace(load_card(folder), preset="cnn36"), "model.json was changed"),
    "other temperature": (lambda folder: replace(load_card(folder), temperature=2.0), "model.json was changed"),
    "other accuracy": (
        lambda folder: replace(load_card(folder), metrics={"test_accuracy": 1.0}),
        "model.json was changed",
    ),
    "no card inside": (no_card_inside, "model.json was changed"),
}


@pytest.mark.parametrize(("damage", "why"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_network_that_does_not_match_its_card_is_refused(
    folder: Path, damage: Callable[[Path], ModelCard], why: str
) -> None:
    card = damage(folder)
    with pytest.raises(DataLoss, match=why) as caught:
        OnnxClassifier(folder, card, model_input)
    assert caught.value.reason == "MODEL_DAMAGED" and "train it again, or delete it" in caught.value.message


def test_metrics_measured_after_the_export_may_differ(folder: Path) -> None:
    card = load_card(folder)
    OnnxClassifier(folder, replace(card, metrics={**card.metrics, "milliseconds": 7.0}), model_input)


def test_a_network_without_a_card_runs(folder: Path) -> None:
    OnnxClassifier(folder, replace_onnx(folder, network(np.ones((SIDE**2, 3), np.float32))), model_input)


def test_a_network_whose_outputs_are_nan_is_damaged(folder: Path) -> None:
    card = replace_onnx(folder, network(np.full((SIDE**2, 3), np.nan, np.float32)))
    classifier = OnnxClassifier(folder, card, model_input)
    with pytest.raises(DataLoss, match="are not probabilities"):
        classifier.classify(RASTERS)[0]
