"""torch and onnxruntime give the same embeddings, but for values that are rounded the other way; runs where torch is
installed, on its CPU if there is no GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from haleganada_server.core.errors import Unavailable
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import network_input, rasterize
from numpy.typing import NDArray

from tests.contract.encoding.make_golden_embeddings import DRAWINGS
from tests.contract.encoding.test_embedding_space import LEAST_COSINE

torch = pytest.importorskip("torch", reason="torch is not installed; it comes with the train extra")


Rasters = NDArray[np.uint8]


@pytest.fixture(scope="module")
def rasters() -> Rasters:
    """(60, 128, 128), ten times the same six."""
    return np.stack([rasterize(glyph) for glyph in DRAWINGS.values()] * 10)


def assert_same(found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    assert (found * expected).sum(axis=1).min() > LEAST_COSINE


def test_same_embeddings_as_onnxruntime(weights_dir: Path, rasters: Rasters) -> None:
    from haleganada_server.runtime.torch_embedder import TorchEmbedder

    weights = load_weights(weights_dir)
    to_input = partial(network_input, side=weights.side)
    expected = OnnxEmbedder(weights, to_input).embed(rasters)
    embedder = TorchEmbedder(weights, to_input, ["cuda:0" if torch.cuda.is_available() else "cpu"])
    assert_same(embedder.embed(rasters), expected)
    with ThreadPoolExecutor(8) as pool:  # these share batches
        alone = list(pool.map(lambda i: embedder.embed(rasters[i : i + 1])[0], range(60)))
    assert_same(np.stack(alone), expected)
    assert embedder.hash == weights.hash


def test_a_failing_device_is_unavailable_and_the_next_call_is_tried_again(weights_dir: Path) -> None:
    from haleganada_server.runtime.torch_embedder import TorchEmbedder

    weights = load_weights(weights_dir)
    rasters = np.zeros((2, 128, 128), np.uint8)
    sides = iter([3, weights.side])  # the first input is too small for the network, also on the CPU
    embedder = TorchEmbedder(weights, lambda r: np.zeros((len(r), 1, *[next(sides)] * 2), np.float32), ["cpu"])
    with pytest.raises(Unavailable):
        embedder.embed(rasters)
    assert embedder.embed(rasters).shape == (2, 256)


@dataclass
class Hungry:
    """A network whose device has memory for so many drawings at once."""

    network: Callable[[Any], Any]
    fits: int

    def __call__(self, ink: Any) -> Any:
        if len(ink) > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.network(ink)


@pytest.mark.parametrize("fits", [7, 0])
def test_a_device_without_memory_loses_nothing(weights_dir: Path, rasters: Rasters, fits: int) -> None:
    from haleganada_server.runtime.torch_embedder import TorchEmbedder

    weights = load_weights(weights_dir)
    to_input = partial(network_input, side=weights.side)
    embedder = TorchEmbedder(weights, to_input, ["cpu"])
    (device,) = embedder._devices
    device._network = Hungry(device._network, fits)
    found, expected = embedder.embed(rasters), OnnxEmbedder(weights, to_input).embed(rasters)
    assert_same(found, expected)
    assert ("at most 7 drawings" if fits else "the CPU embeds") in embedder.describe().note


def test_several_devices_share_a_batch(weights_dir: Path, rasters: Rasters) -> None:
    from haleganada_server.runtime.torch_embedder import TorchEmbedder

    weights = load_weights(weights_dir)
    to_input = partial(network_input, side=weights.side)
    embedder = TorchEmbedder(weights, to_input, ["cpu", "cpu"])
    assert_same(embedder.embed(rasters), OnnxEmbedder(weights, to_input).embed(rasters))
    assert embedder.device.startswith("cpu,cpu (torch")
    assert embedder.describe() == (None, None, "")
