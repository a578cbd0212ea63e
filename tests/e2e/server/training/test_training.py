"""A real training, evaluation and export, from the command line through a server with torch."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from tests.e2e.cli.command_line import haleganada
from tests.e2e.processes import missing_torch, training_server
from tests.support.jobs.datasets import crosses_and_bars

pytestmark = [
    pytest.mark.skipif(bool(missing_torch()), reason=missing_torch()),
    pytest.mark.skipif(find_spec("torch") is None, reason="runs among the tests that need torch"),
]


def test_from_pictures_to_a_model_that_others_run(tmp_path: Path) -> None:
    with training_server(tmp_path / "data") as running:

        def run(*arguments: str | Path) -> str:
            done = haleganada("--server", running.address, *arguments)
            assert done.returncode == 0, (done.stdout, done.stderr)
            return done.stdout

        run("datasets", "add", crosses_and_bars(tmp_path, each=40), "--name", "letters")
        run("fit", "tiny-cnn", "--data", "letters", "--preview", tmp_path / "sheet.png")
        assert np.asarray(Image.open(tmp_path / "sheet.png").convert("L")).std() > 10
        assert "trained mine" in run("fit", "tiny-cnn", "--data", "letters", "--name", "mine", "--epochs", "6")
        assert "together" in run("evaluate", "mine", "few-shot", "--data", "letters", "--out", tmp_path / "report")
        assert _load_accuracies(tmp_path / "report") == [1.0, 1.0, 1.0], "crosses and bars are not hard to tell apart"
        assert "int8" in run("models", "export", "mine", tmp_path / "mine.onnx", "--int8")
        assert _predict(tmp_path / "mine.onnx", _draw_cross()) == "x"


def _load_accuracies(report: Path) -> list[float]:
    """Check that each model has its pictures, and return the accuracies."""
    models = json.loads((report / "evaluation_results.json").read_text(encoding="utf-8"))["models"]
    assert all((report / name).stat().st_size for model in models for name in model["files"])
    return [model["accuracy"] for model in models]


def _predict(model: Path, ink: np.ndarray) -> str:
    """Return the label of a drawing. ink: (32, 32), 1 = ink."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    labels: list[str] = json.loads(session.get_modelmeta().custom_metadata_map["haleganada.card"])["labels"]
    return labels[int(session.run(None, {"ink": ink[None, None]})[0].argmax())]


def _draw_cross() -> np.ndarray:
    ink = np.eye(32, dtype=np.float32)
    ink[:4] = ink[-4:] = 0
    ink = np.maximum(ink, np.roll(ink, 1, 1))
    return np.maximum(ink, ink[:, ::-1])
