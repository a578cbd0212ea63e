"""Small data sets and models for these tests: generated letters, and a network of one matrix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.disk.files import file_sha256
from haleganada_server.core.models.card import ModelCard, Preprocessing
from haleganada_server.core.models.files import CARD, ONNX, WEIGHTS
from haleganada_server.vision import model_input
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE = 16
WEIGHTS_SHA256 = "7" * 64
KANNADA = ("ಕ", "ಕಿ", "ಕ್ಷ", "ಖ", "ಗೂ", "ಱ")


@dataclass(frozen=True)
class Letters:
    """A data set. entry: its part of a request."""

    entry: dict[str, Any]
    rasters: NDArray[np.uint8]
    labels: NDArray[np.int32]
    parts: NDArray[np.uint8]

    def rows(self, part: Part) -> NDArray[np.intp]:
        return np.flatnonzero(self.parts == part)


def make_letters(
    folder: Path, names: tuple[str, ...], each: dict[Part, int], noise: float = 0.25, seed: int = 0
) -> Letters:
    """Generate a data set. Each label is two strokes; its drawings are shifted and lose some ink, by `noise`."""
    rng = np.random.default_rng(seed)
    shapes = [_make_shape(rng) for _ in names]
    rows = [(label, part) for label in range(len(names)) for part, count in each.items() for _ in range(count)]
    rasters = np.stack([_draw(shapes[label], noise, rng) for label, _ in rows])
    labels = np.array([label for label, _ in rows], np.int32)
    parts = np.array([part for _, part in rows], np.uint8)
    folder.mkdir(parents=True)
    writers = np.full(len(rows), -1, np.int32)
    arrays: dict[str, NDArray[Any]] = {"rasters": rasters, "labels": labels, "parts": parts, "writers": writers}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    entry = {"folder": str(folder), "name": "made letters", "sha256": "5" * 64, "labels": list(names)}
    return Letters(entry, rasters, labels, parts)


def _make_shape(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return random strokes, (points, 2) in px."""
    ends = rng.uniform(10, 54, (2, 2, 2))
    t = np.linspace(0, 1, 60)[:, None]
    return np.concatenate([(1 - t) * start + t * end for start, end in ends])


def _draw(shape: NDArray[np.float64], noise: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    raster = np.zeros((64, 64), np.uint8)
    points = shape + rng.normal(0, 8 * noise, 2) + rng.normal(0, noise, shape.shape)
    for y, x in points[rng.random(len(points)) > noise / 2].astype(int).clip(1, 62):
        raster[y - 1 : y + 2, x - 1 : x + 2] = 255
    return raster


def write_nearest_mean(folder: Path, name: str, data: Letters, labels: tuple[str, ...], side: int = SIDE) -> Path:
    """Write a model that predicts the nearest mean of the training part's drawings, and return its folder.

    The mean of a label that the data set does not have is blank.
    """
    train = data.rows(Part.TRAIN)
    ink = model_input(data.rasters[train], side).reshape(len(train), -1)
    own = {label: ink[data.labels[train] == i] for i, label in enumerate(data.entry["labels"])}
    means = np.stack([own[label].mean(0) if len(own.get(label, ())) else np.zeros(side * side) for label in labels])
    folder.mkdir(parents=True)
    onnx.save(
        _build_network((means.T * 2).astype(np.float32), -(means**2).sum(1).astype(np.float32), side), folder / ONNX
    )
    card = ModelCard(
        preset="tiny-cnn",
        name=name,
        labels=labels,
        preprocessing=Preprocessing(side),
        temperature=1.0,
        parameters=means.size,
        created_us=0,
        dataset_name="made letters",
        dataset_sha256="5" * 64,
        sha256={ONNX: file_sha256(folder / ONNX), WEIGHTS: WEIGHTS_SHA256},
    )
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")
    return folder


def _build_network(weights: NDArray[np.float32], bias: NDArray[np.float32], side: int) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Flatten", ["ink"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    input_info = helper.make_tensor_value_info("ink", TensorProto.FLOAT, ["n", 1, side, side])
    output_info = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(bias)])
    constants = [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")]
    graph = helper.make_graph(nodes, "nearest-mean", [input_info], [output_info], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model
