"""Methods of online learning behind one small interface."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from haleganada_server.core.fewshot.builder import empty_head
from haleganada_server.core.fewshot.draft import HeadDraft
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.models.presets import PRESET_FACTS
from haleganada_server.training.common.taught_drawing import TaughtDrawing
from haleganada_server.training.online.feature_cache import FeatureCache
from haleganada_server.training.online.initial_model import InitialModel, build_initial_model, fix_seed
from haleganada_server.training.online.learner import OnlineLearner
from haleganada_server.training.online.networks import FrozenBackbone
from haleganada_server.training.presets.backbone_weights import load_backbone
from haleganada_server.training.presets.resnet50_transformer import WIDTH, ResNet50Transformer, build
from haleganada_server.training.pretrain.network import EmbedderNetwork, load_network
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tests.bench.accuracy.features import Rasters, Recognizer
from tests.bench.models.online_letters import shrink

SEED = 0


class Learner(Protocol):
    """Learns drawings and recognizes others."""

    def learn(self, letter: int, raster: NDArray[np.uint8]) -> None:
        """Learn one drawing. raster: (128, 128)."""

    def prepare(self, rasters: Rasters) -> None:
        """Precompute what can be reused for these drawings, which will be tested often."""

    def answer(self, rasters: Rasters) -> NDArray[np.int64]:
        """Recognize prepared drawings (n, 128, 128)."""

    def answer_one(self, raster: NDArray[np.uint8]) -> None:
        """Recognize one unprepared drawing, to be timed."""


@dataclass(frozen=True)
class Recipe:
    """A row of the table. make: returns an untrained learner, which may write to the folder."""

    network: str
    replay: str
    make: Callable[[Path], Learner]


class NetworkLearner:
    """The product's online learner."""

    def __init__(self, start: InitialModel, config: OnlineConfig, folder: Path) -> None:
        self._features = FeatureCache(folder, start.network)
        self._learner = OnlineLearner(start, config, self._features)
        self._learner.set_target([], 0)
        self._log: list[TaughtDrawing] = []

    def learn(self, letter: int, raster: NDArray[np.uint8]) -> None:
        number = len(self._log) + 1
        self._log.append(TaughtDrawing(number, str(letter), shrink(raster[None])[0], number))
        self._learner.set_target(self._log, number)
        self._learner.learn_next()

    def prepare(self, rasters: Rasters) -> None:
        for raster in shrink(rasters):
            self._features.find_or_compute(raster)

    def answer(self, rasters: Rasters) -> NDArray[np.int64]:
        published = self._learner.published
        features = self._features.load([self._features.find_or_compute(raster) for raster in shrink(rasters)])
        with torch.inference_mode():
            best = published.network.compute_logits(features).argmax(1)
        return np.array([int(published.labels[row]) for row in best])

    def answer_one(self, raster: NDArray[np.uint8]) -> None:
        self._learner.published.probabilities(shrink(raster[None]))


class FewShotLearner:
    """The workspace's own head on the shipped embedder."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._head = empty_head(recognizer.head_parameters.projection.between)
        self._vectors: dict[bytes, NDArray[np.float64]] = {}

    def learn(self, letter: int, raster: NDArray[np.uint8]) -> None:
        draft = HeadDraft(self._head)
        draft.teach(str(letter), self._recognizer.embed(raster[None])[0])
        self._head = draft.freeze()

    def prepare(self, rasters: Rasters) -> None:
        for raster, vector in zip(rasters, self._recognizer.embed(rasters), strict=True):
            self._vectors[raster.tobytes()] = vector

    def answer(self, rasters: Rasters) -> NDArray[np.int64]:
        head = self._head = self._head.adapt()
        scores = np.stack([head.scores(self._vectors[raster.tobytes()])[:-1] for raster in rasters])
        return np.array([int(head.labels[row]) for row in scores.argmax(1)])

    def answer_one(self, raster: NDArray[np.uint8]) -> None:
        self._head = self._head.adapt()
        self._head.scores(self._recognizer.embed(raster[None])[0])


class GlyphMap(nn.Module):  # type: ignore[misc,unused-ignore]  # Any where torch is not installed
    """The shipped embedder up to its last map, as a backbone: (n, 3, 224, 224) -> (n, channels, 7, 7).

    Its 4 x 4 cells are every second one of the 7 x 7, with their neighbors' means between them.
    """

    def __init__(self, embedder: EmbedderNetwork) -> None:
        super().__init__()
        self.embedder = embedder

    def forward(self, image: Tensor) -> Tensor:
        paper, ink = (
            (1 - 0.485) / 0.229,
            -0.485 / 0.229,
        )  # first channel, as drawings are normalized for ImageNet networks
        side = self.embedder.shape.side
        ink_raster = functional.adaptive_avg_pool2d((paper - image[:, :1]) / (paper - ink), side)
        maps = self.embedder.blocks(functional.relu(self.embedder.stem(ink_raster)))
        return functional.interpolate(maps, size=7, mode="bilinear", align_corners=True)


def make_glyph_start(weights: Path) -> InitialModel:
    """Return the transformer on the shipped embedder's map instead of an ImageNet network's."""
    embedder = load_network(weights)
    with fix_seed(SEED):
        network = ResNet50Transformer(1, "resnet18")
        network.project = nn.Linear(embedder.shape.width << 3, WIDTH)
    network.backbone = GlyphMap(embedder).requires_grad_(False).eval()
    return InitialModel(FrozenBackbone(network))


def make_imagenet_start() -> InitialModel:
    """Return the transformer on EfficientNet-Lite0, whose ImageNet weights come in a package."""
    with fix_seed(SEED):
        network = build(1, {"backbone": "efficientnet-lite0"}, load_backbone("efficientnet-lite0"))
    return InitialModel(FrozenBackbone(network))


def make_recipes(recognizer: Recognizer, glyph_weights: Path) -> list[Recipe]:
    """Return all recipes, fast ones first."""
    starts = {
        "cnn36 from random weights": ("cnn36", build_initial_model("cnn36", SEED)),
        "transformer on EfficientNet-Lite0 (ImageNet)": ("resnet50-transformer", make_imagenet_start()),
        "transformer on the glyph embedder": ("resnet50-transformer", make_glyph_start(glyph_weights)),
    }
    out = [Recipe("few-shot head on the glyph embedder", "-", lambda _folder: FewShotLearner(recognizer))]
    for name, (preset, start) in starts.items():
        for replay in (0, 8, 32):
            out.append(Recipe(name, str(replay), _bind(start, _make_config(preset, replay))))
    return out


def _make_config(preset: str, replay: int) -> OnlineConfig:
    """Return the product's settings for the preset, or without replay the plain recipe."""
    default = PRESET_FACTS[preset].online
    assert default is not None
    return replace(default, replay=replay, seed=SEED) if replay else OnlineConfig(replay=0, seed=SEED)


def _bind(start: InitialModel, config: OnlineConfig) -> Callable[[Path], Learner]:
    return lambda folder: NetworkLearner(start, config, folder)


def measure_seconds(call: Callable[..., object], *arguments: object) -> float:
    """Return how many seconds a call takes."""
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start
