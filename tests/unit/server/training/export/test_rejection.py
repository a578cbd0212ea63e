"""A trained network tells drawings of none of its labels from those that it knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from haleganada_server.core.models.files import ONNX, ONNX_INT8, read_card
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.training.export.model_files import write_model
from haleganada_server.training.export.onnx_model import export_model
from haleganada_server.training.export.rejection import Measured, fit_rejection
from haleganada_server.training.presets import measure_features
from haleganada_server.vision.inputs import model_input

from tests.unit.server.training.export.test_onnx_model import draw_shapes, make_card, train


def draw_scribbles(number: int) -> np.ndarray:
    """Return rasters (n, 64, 64) of random dots, which are no shape."""
    return np.where(np.random.default_rng(9).random((number, 64, 64)) < 0.3, np.uint8(255), np.uint8(0))


def measure(network: torch.nn.Module, rasters: np.ndarray, targets: np.ndarray) -> Measured:
    with torch.no_grad():
        logits, features = measure_features(network, torch.from_numpy(model_input(rasters, 32)))
    return Measured(logits.numpy(), features.numpy(), targets)


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return train("cnn36", steps=70)


def test_an_exported_network_rejects_what_is_no_shape(network: torch.nn.Module, tmp_path: Path) -> None:
    validation, targets = draw_shapes(200, 2)
    rejection = fit_rejection(measure(network, *draw_shapes(400, 1)), measure(network, validation, targets))
    card = write_model(tmp_path, network, make_card("cnn36", network))
    export_model(network, card, tmp_path, model_input(validation[:64], 32), targets[:64], rejection)
    classifier = OnnxClassifier(tmp_path, read_card(tmp_path), model_input)
    among, unknown = classifier.classify(draw_shapes(400, 3)[0])
    assert 0.01 < (unknown >= 0.5).mean() < 0.12, "one in twenty drawings like those of the validation part"
    np.testing.assert_allclose(among.sum(axis=1), 1)
    assert (classifier.classify(draw_scribbles(50))[1] >= 0.5).mean() > 0.95
    for file in (ONNX, ONNX_INT8):
        session = onnxruntime.InferenceSession(tmp_path / file)
        (alone,) = session.run(["unknown"], {"ink": model_input(draw_scribbles(50), 32)})
        assert alone.shape == (50,) and (alone >= 0.5).mean() > 0.95, file


def test_drawings_of_no_label_move_the_limit(network: torch.nn.Module) -> None:
    known = measure(network, *draw_shapes(400, 1)), measure(network, *draw_shapes(200, 2))
    scribbles = measure(network, draw_scribbles(60), np.zeros(60, np.int64)).features
    rejection = fit_rejection(*known, scribbles)
    assert rejection is not None
    fresh = measure(network, *draw_shapes(400, 3)).features
    with torch.no_grad():
        assert (rejection(torch.from_numpy(fresh)) < 0.5).float().mean() > 0.99, "they are far from the scribbles"
        assert (rejection(torch.from_numpy(scribbles)) > 0.5).float().mean() > 0.99


def test_too_few_drawings_calibrate_nothing(network: torch.nn.Module) -> None:
    train_part = measure(network, *draw_shapes(400, 1))
    assert fit_rejection(train_part, measure(network, *draw_shapes(20, 2))) is None
    nothing = Measured(np.zeros((0, 4), np.float32), np.zeros((0, 1), np.float32), np.zeros(0, np.int64))
    assert fit_rejection(train_part, nothing) is None
