"""Exported models have metadata, give the same answers as torch, and run with onnxruntime alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import EXPORT_REPORT, METADATA, ONNX, ONNX_INT8, WEIGHTS, read_card
from haleganada_server.training.export.half_precision import round_matrices
from haleganada_server.training.export.model_files import read_model, write_model
from haleganada_server.training.export.onnx_model import export_model
from haleganada_server.training.export.quantize import quantize
from haleganada_server.training.presets import count_parameters, get_preset
from haleganada_server.vision.inputs import model_input
from torch import nn

_BATCH = 16
LABELS = ("ಅ", "ಆ", "b", "|")


class Exported(NamedTuple):
    folder: Path
    rasters: np.ndarray
    targets: np.ndarray
    report: dict[str, Any]


def draw_shapes(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rasters (n, 64, 64) of four shapes at random places, and their classes (n,)."""
    rng = np.random.default_rng(seed)
    rasters, targets = np.zeros((number, 64, 64), np.uint8), rng.integers(0, 4, number)
    for raster, target in zip(rasters, targets, strict=True):
        y, x = rng.integers(4, 28, 2)
        box = raster[y : y + 32, x : x + 32]
        if target < 2:
            box[:] = 255
            box[5:27, 5:27] = 255 * target
        elif target == 2:
            box[np.arange(32), np.arange(32)] = 255
            box[np.arange(31), np.arange(31) + 1] = 255
        else:
            box[:, 14:18] = 255
    return rasters, targets


def train(name: str, steps: int) -> nn.Module:
    """Train a network on the shapes."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    chosen = get_preset(name)
    network = chosen.build(len(LABELS), {}, None).train()
    rasters, targets = draw_shapes(_BATCH * steps, 0)
    ink, expected = torch.from_numpy(model_input(rasters, chosen.preprocessing.side)), torch.from_numpy(targets)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    for step in range(steps):
        rows = slice(_BATCH * step, _BATCH * step + _BATCH)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(ink[rows]), expected[rows]).backward()
        optimizer.step()
    round_matrices(network)
    return network.eval()


def make_card(name: str, network: nn.Module) -> ModelCard:
    facts = get_preset(name).facts
    return ModelCard(
        preset=name,
        name="shapes",
        labels=LABELS,
        preprocessing=facts.preprocessing,
        temperature=1.5,
        parameters=count_parameters(network),
        created_us=1,
        dataset_name="drawn",
        dataset_sha256="0" * 64,
        sha256={},
    )


@pytest.fixture(scope="module", params=["cnn36", "tiny-cnn"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("model")
    network = train(request.param, steps=70)
    card = write_model(folder, network, make_card(request.param, network))
    rasters, targets = draw_shapes(64, 1)
    report = export_model(network, card, folder, model_input(rasters, card.preprocessing.side), targets)
    return Exported(folder, rasters, targets, report)


def test_the_report_compares_both_precisions_with_torch(exported: Exported) -> None:
    report = exported.report
    assert report == json.loads((exported.folder / EXPORT_REPORT).read_bytes())
    assert report["samples"] == 64
    assert 0 <= report["parity"] < 1e-4
    assert report["float32"]["same_answers"] == 1.0
    assert report["float32"]["accuracy"] >= 0.95
    assert report["int8_method"] == "static"
    assert report["int8"]["accuracy"] >= report["float32"]["accuracy"] - 0.05
    for precision, file in (("float32", ONNX), ("int8", ONNX_INT8)):
        assert report[precision]["bytes"] == (exported.folder / file).stat().st_size
        assert report[precision]["milliseconds"] > 0
    assert report["int8"]["bytes"] < 0.7 * report["float32"]["bytes"]


def test_the_files_take_two_bytes_a_weight(exported: Exported) -> None:
    network, _ = read_model(exported.folder)
    weights = sum(parameter.numel() for parameter in network.parameters())
    for file in (WEIGHTS, ONNX):
        assert (exported.folder / file).stat().st_size < 2.05 * weights + 15_000


def test_int8_is_no_larger_where_only_dense_layers_can_be_quantized(exported: Exported, tmp_path: Path) -> None:
    _, card = read_model(exported.folder)
    ink = model_input(exported.rasters, card.preprocessing.side)
    method = quantize(exported.folder / ONNX, tmp_path / ONNX_INT8, ink, agreement=lambda _path: 0.0)
    assert method == "dynamic"
    assert (tmp_path / ONNX_INT8).stat().st_size <= (exported.folder / ONNX).stat().st_size
    exact, quantized = (
        onnxruntime.InferenceSession(path).run(["probabilities"], {"ink": ink})[0]
        for path in (exported.folder / ONNX, tmp_path / ONNX_INT8)
    )
    np.testing.assert_allclose(quantized, exact, atol=0.02)


def test_the_card_lists_the_files_and_the_time(exported: Exported) -> None:
    _, card = read_model(exported.folder)
    assert card.sha256.keys() == {WEIGHTS, ONNX, ONNX_INT8, EXPORT_REPORT}
    assert card.metrics["milliseconds"] == exported.report["float32"]["milliseconds"]
    assert sorted(path.name for path in exported.folder.iterdir()) == sorted([*card.sha256, "model.json"])


@pytest.mark.parametrize("file", [ONNX, ONNX_INT8])
def test_onnxruntime_and_numpy_are_enough(exported: Exported, file: str, tmp_path: Path) -> None:
    np.save(tmp_path / "rasters.npy", exported.rasters)
    script = Path(__file__).with_name("run_exported_model.py")
    command = [sys.executable, str(script), str(exported.folder / file), str(tmp_path / "rasters.npy")]
    result = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert result["others"] == []
    right = [label == LABELS[target] for (label, _), target in zip(result["answers"], exported.targets, strict=True)]
    assert np.mean(right) >= 0.9
    assert all(0.25 <= probability <= 1 for _, probability in result["answers"])


def test_the_graph_includes_the_temperature_and_takes_any_batch_size(exported: Exported) -> None:
    network, card = read_model(exported.folder)
    session = onnxruntime.InferenceSession(str(exported.folder / ONNX))
    ink = model_input(exported.rasters, card.preprocessing.side)
    for drawings in (1, 7):
        with torch.no_grad():
            expected = (network(torch.from_numpy(ink[:drawings])) / card.temperature).softmax(1).numpy()
        (probabilities,) = session.run(["probabilities"], {"ink": ink[:drawings]})
        assert np.abs(probabilities - expected).max() < 1e-4


def test_the_metadata_is_the_card(exported: Exported) -> None:
    model = onnx.load(exported.folder / ONNX)
    (entry,) = [entry for entry in model.metadata_props if entry.key == METADATA]
    stored, card = ModelCard.from_json(entry.value), read_card(exported.folder)
    assert stored.labels == LABELS and stored.sha256 == {}
    assert replace(stored, metrics={}) == replace(card, sha256={}, metrics={})
    assert max(opset.version for opset in model.opset_import if not opset.domain) >= 17


@pytest.mark.slow
def test_a_transformer_on_a_frozen_backbone_is_exported_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    chosen, options = get_preset("resnet50-transformer"), {"backbone": "efficientnet-lite0"}
    network = chosen.build(len(LABELS), options, None).eval()
    card = replace(make_card(chosen.name, network), options=options)
    rasters, targets = draw_shapes(4, 2)
    report = export_model(network, card, tmp_path, model_input(rasters, 224), targets)
    assert report["parity"] < 1e-4
    assert report["float32"]["same_answers"] == 1.0
    assert (tmp_path / ONNX_INT8).stat().st_size < 0.75 * (tmp_path / ONNX).stat().st_size


def test_a_graph_that_differs_from_torch_is_rejected(tmp_path: Path) -> None:
    calls = count(1)
    unstable = get_preset("tiny-cnn").build(len(LABELS), {}, None)
    # Another answer at each call, like a network that no static graph can represent.
    unstable.register_forward_hook(lambda _module, _inputs, logits: logits * next(calls) * 10)
    ink = np.random.default_rng(0).random((4, 1, 32, 32), dtype=np.float32)
    with pytest.raises(RuntimeError, match="differ from torch's"):
        export_model(unstable, make_card("tiny-cnn", unstable), tmp_path, ink, np.zeros(4, int))
