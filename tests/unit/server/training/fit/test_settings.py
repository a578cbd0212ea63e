"""What the settings of a training change: where it starts, the size of its input, threads, augmentation, weights."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.models.files import read_card
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.training.common.augment import Strengths, augment, draw_random_numbers
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.export.model_files import read_model
from haleganada_server.training.fit.loop import weigh_labels
from haleganada_server.training.fit.run import run_training
from haleganada_server.training.fit.start_from_model import start_from_model
from haleganada_server.training.online.initial_model import load_initial_model
from haleganada_server.vision import model_input

from tests.unit.server.training.fit.conftest import Request
from tests.unit.server.training.toy_dataset import SHAPES, draw_shape, write_dataset

RequestFor = Callable[..., Request]


def train(request: Request) -> list[dict[str, Any]]:
    """Run a job in this process and return its reports."""
    lines: list[dict[str, Any]] = []
    run_training(request, lines.append, lambda: False, ProcessGroup(torch.device("cpu")))
    return lines


def losses(lines: list[dict[str, Any]]) -> list[float]:
    return [line["epoch"]["validation_loss"] for line in lines if "epoch" in line]


def test_a_training_starts_from_a_model_with_the_labels_that_it_knows(request_for: RequestFor, tmp_path: Path) -> None:
    first = train(request_for("first", epochs=8, learning_rate=3e-3))
    model = tmp_path / "first" / "model"
    more = request_for("more", epochs=2, learning_rate=1e-4) | {"from_model": str(model)}
    assert losses(train(more))[0] < 1.2 * min(losses(first)), "it does not begin anew"

    four = write_dataset(tmp_path / "four", {Part.TRAIN: 12, Part.VALIDATION: 4}, classes=4)
    four["labels"] = ["X", "ಅ", "I", "O"]
    np.save(tmp_path / "four" / "labels.npy", (np.load(tmp_path / "four" / "labels.npy") + 2) % 4)
    train(request_for("four", epochs=1, learning_rate=1e-6) | {"from_model": str(model), "dataset": four})
    card = read_card(tmp_path / "four" / "model")
    assert card.labels == ("X", "ಅ", "I", "O")
    drawn = np.stack([draw_shape(label, np.random.default_rng(5)) for label in range(3)])
    answers = OnnxClassifier(tmp_path / "four" / "model", card, model_input).classify(drawn)[0]
    assert [card.labels[column] for column in answers.argmax(1)] == list(SHAPES[:3]), "rows moved with their labels"


def test_rows_of_new_labels_are_new(request_for: RequestFor, tmp_path: Path) -> None:
    train(request_for("first", epochs=1))
    known, _ = read_model(tmp_path / "first" / "model")
    network, _ = start_from_model(tmp_path / "first" / "model", ("new", "O"))
    before, after = (part.get_submodule("decoder").get_parameter("weight") for part in (known, network))
    assert torch.equal(after[1], before[1]) and not any(torch.equal(after[0], row) for row in before)


@pytest.mark.parametrize("preset", ["tiny-cnn", "cnn36"])
def test_the_input_can_have_another_size(preset: str, request_for: RequestFor, tmp_path: Path) -> None:
    lines = train(request_for(epochs=1, image_size_px=40) | {"preset": preset})
    assert next(line["settings"] for line in lines if "settings" in line)["image_size_px"] == 40
    model = tmp_path / "job" / "model"
    card = read_card(model)
    assert card.preprocessing.side == 40
    network, _ = read_model(model)
    with torch.no_grad():
        assert network(torch.rand(2, 1, 40, 40)).shape == (2, 3)
    assert OnnxClassifier(model, card, model_input).classify(np.zeros((1, 128, 128), np.uint8))[0].shape == (1, 3)
    if preset == "cnn36":
        assert load_initial_model(model).network.feature_shape == (1, 40, 40), "it can go on learning online"
    more = request_for("more", epochs=1, image_size_px=40) | {"preset": preset, "from_model": str(model)}
    train(more)
    assert read_card(tmp_path / "more" / "model").preprocessing.side == 40


def test_the_settings_in_use_are_told(request_for: RequestFor) -> None:
    before = torch.get_num_threads()
    try:
        lines = train(request_for(epochs=1, workers=2, rotation_degrees=90.0, class_weights="balanced"))
    finally:
        torch.set_num_threads(before)
    used = next(line["settings"] for line in lines if "settings" in line)
    assert (used["workers"], used["rotation_degrees"], used["shift"], used["class_weights"]) == (2, 90, 0.1, "balanced")


def test_balanced_labels_count_the_same() -> None:
    weights = weigh_labels(np.array([0] * 6 + [1] * 2), 3)
    assert weights.tolist() == pytest.approx([8 / 12, 2.0, 0.0])
    assert float(weights[0] * 6) == pytest.approx(float(weights[1] * 2))


def test_each_strength_changes_the_drawings_by_itself() -> None:
    ink = torch.from_numpy(draw_shape(0, np.random.default_rng(0))[None, None] / np.float32(255))
    none = Strengths(rotation_degrees=0.0, shift=0.0, scale=0.0, tilt=0.0, bend=0.0, ink=0.0)
    numbers = draw_random_numbers(1, 3, 1)
    torch.testing.assert_close(augment(ink.clone(), numbers, none), ink)
    names = ("rotation_degrees", "shift", "scale", "tilt", "bend", "ink")
    changed = [augment(ink.clone(), numbers, Strengths(**{**dict.fromkeys(names, 0.0), name: 0.3})) for name in names]
    assert all(not torch.allclose(one, ink, atol=1e-3) for one in changed)
    assert all(not torch.equal(one, other) for one, other in pairwise(changed))
