"""torch and onnxruntime give the same embeddings; runs where torch is installed, on its CPU if there is no GPU."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.errors import Unavailable
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import network_input

torch = pytest.importorskip("torch", reason="torch is not installed; it comes with the train extra")


def test_same_embeddings_as_onnxruntime(weights_dir: Path) -> None:
    from haleganada_server.runtime.torch_embedder import TorchEmbedder

    weights = load_weights(weights_dir)
    to_input = partial(network_input, side=weights.side)
    rasters = (np.random.default_rng(3).random((30, 128, 128)) > 0.85).astype(np.uint8) * 255
    expected = OnnxEmbedder(weights, to_input).embed(rasters)
    embedder = TorchEmbedder(weights, to_input, "cuda:0" if torch.cuda.is_available() else "cpu")
    assert np.abs(embedder.embed(rasters) - expected).max() < 1e-4
    with ThreadPoolExecutor(8) as pool:  # these share batches
        alone = list(pool.map(lambda i: embedder.embed(rasters[i : i + 1])[0], range(30)))
    assert np.abs(np.stack(alone) - expected).max() < 1e-4
    assert embedder.hash == weights.hash


def test_a_failing_device_is_unavailable_and_the_next_call_is_tried_again(weights_dir: Path) -> None:
    from haleganada_server.runtime.torch_embedder import TorchEmbedder

    weights = load_weights(weights_dir)
    rasters = np.zeros((2, 128, 128), np.uint8)
    sides = iter([3, weights.side])  # the first input is too small for the network
    embedder = TorchEmbedder(weights, lambda r: np.zeros((len(r), 1, *[next(sides)] * 2), np.float32), "cpu")
    with pytest.raises(Unavailable):
        embedder.embed(rasters)
    assert embedder.embed(rasters).shape == (2, 256)
