"""The embedder: the same drawing has the same embedding, alone or among others; weights that are not the card's are
refused.
"""

from __future__ import annotations

import json
import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import Precondition
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.select import select_embedder
from haleganada_server.runtime.weights import CARD, Weights, load_weights
from haleganada_server.vision import network_input
from numpy.typing import NDArray

Rasters = NDArray[np.uint8]


@pytest.fixture(scope="module")
def weights(weights_dir: Path) -> Weights:
    return load_weights(weights_dir)


@pytest.fixture(scope="module")
def embedder(weights: Weights) -> OnnxEmbedder:
    return OnnxEmbedder(weights, partial(network_input, side=weights.side), threads=3)


@pytest.fixture(scope="module")
def rasters() -> Rasters:
    """Random bars."""
    dice = np.random.default_rng(5)
    drawn = np.zeros((40, 128, 128), np.uint8)
    for raster, (x, y) in zip(drawn, dice.integers(10, 100, (40, 2)), strict=True):
        raster[10:118, x : x + 9] = 255
        raster[y : y + 9, 10:118] = 255
    return drawn


def test_alone_or_in_a_batch_bit_for_bit(embedder: OnnxEmbedder, rasters: Rasters) -> None:
    together = embedder.embed(rasters)
    assert together.shape == (40, 256) and together.dtype == np.float32
    alone = np.concatenate([embedder.embed(raster[None]) for raster in rasters])
    assert np.array_equal(together, alone)
    assert np.array_equal(embedder.embed(rasters[:5]), together[:5])


def test_several_threads_at_once(embedder: OnnxEmbedder, rasters: Rasters) -> None:
    expected = embedder.embed(rasters)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: embedder.embed(rasters[i : i + 1])[0], list(range(40)) * 3))
    assert all(np.array_equal(vector, expected[i % 40]) for i, vector in enumerate(found))


def test_cpu_is_there_everywhere(weights: Weights) -> None:
    embedder = select_embedder(weights, "cpu", partial(network_input, side=weights.side)).embedder
    assert embedder.device.startswith("cpu") and embedder.hash == weights.hash


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "cuda:", "cuda:-1", ""])
def test_a_device_that_is_not_there(weights: Weights, device: str) -> None:
    with pytest.raises(Precondition, match="cpu"):
        select_embedder(weights, device, partial(network_input, side=weights.side))


def _flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["embedder.onnx", "head.safetensors"])
def test_weights_that_are_not_the_cards(weights_dir: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(weights_dir, tmp_path / "weights")
    _flip_a_byte(folder / name)
    with pytest.raises(Precondition, match=f"{name}.*SHA-256") as caught:
        load_weights(folder)
    assert caught.value.reason == "WEIGHTS_DAMAGED" and str(tmp_path) not in caught.value.message
    (folder / name).unlink()
    with pytest.raises(Precondition, match=f"{name}.*missing"):
        load_weights(folder)


def test_the_network_to_train_further_may_be_left_out(weights_dir: Path, weights: Weights, tmp_path: Path) -> None:
    """As wheels do: nothing but training needs it."""
    folder = shutil.copytree(weights_dir, tmp_path / "weights")
    (folder / "embedder.safetensors").unlink()
    assert load_weights(folder).hash == weights.hash


def test_a_card_from_before_missing_labels_has_none(weights_dir: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(weights_dir, tmp_path / "weights")
    card = json.loads((folder / CARD).read_text())
    assert load_weights(folder).head_parameters.calibration.missing_labels == card["calibration"].pop("missing_labels")
    (folder / CARD).write_text(json.dumps(card))
    assert load_weights(folder).head_parameters.calibration.missing_labels is None


@pytest.mark.parametrize("number", [0, -3, "many", math.nan])
def test_a_card_with_an_impossible_number_of_missing_labels(
    weights_dir: Path, tmp_path: Path, number: float | str
) -> None:
    folder = shutil.copytree(weights_dir, tmp_path / "weights")
    card = json.loads((folder / CARD).read_text())
    card["calibration"]["missing_labels"] = number
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(Precondition, match=str(number)):
        load_weights(folder)


@pytest.mark.parametrize("entry", ["name", "side", "sha256", "calibration"])
def test_a_card_without_an_entry(weights_dir: Path, tmp_path: Path, entry: str) -> None:
    folder = shutil.copytree(weights_dir, tmp_path / "weights")
    card = json.loads((folder / CARD).read_text())
    del card[entry]
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(Precondition, match=entry):
        load_weights(folder)
