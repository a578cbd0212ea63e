"""What online learning starts from: a preset with random or ImageNet weights, or a model that was trained before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import InvalidInput, Precondition
from haleganada_server.core.glyphs.types import Glyph, Ink, Stroke
from haleganada_server.core.models.presets import ONLINE_PRESETS
from haleganada_server.training.common.augment import mix_seed
from haleganada_server.training.common.taught_drawing import Raster, TaughtDrawing
from haleganada_server.training.export.exemplars import read_exemplars
from haleganada_server.training.export.model_files import read_model
from haleganada_server.training.presets import preset
from haleganada_server.training.presets.backbone_weights import start_from
from haleganada_server.training.presets.cnn36 import Cnn36
from haleganada_server.training.presets.resnet50_transformer import ResNet50Transformer
from haleganada_server.vision import dataset_raster, model_input, rasterize

from .networks import FrozenBackbone, Learnable, WholeCnn, tensors_sha256

_SCRIBBLES = 64


@dataclass(frozen=True, eq=False)
class Start:
    """learnable: never changed, only copied. labels: that it knows already, by row. temperature: its logits are
    divided by it in answers. memory: drawings that it was trained with, which are replayed as if they had been taught.
    """

    learnable: Learnable
    labels: tuple[str, ...] = ()
    temperature: float = 1.0
    memory: tuple[TaughtDrawing, ...] = ()

    def __post_init__(self) -> None:
        """Raises InvalidInput for a drawing in memory whose label the start does not know."""
        unknown = {sample.label for sample in self.memory}.difference(self.labels)
        if unknown:
            raise InvalidInput("memory", f"the model does not know {', '.join(sorted(unknown))}")

    def sha256(self) -> str:
        """Of everything that learning from here depends on."""
        digest = hashlib.sha256(tensors_sha256(self.learnable.network.state_dict()).encode())
        digest.update("\n".join([type(self.learnable).__name__, repr(self.temperature), *self.labels]).encode())
        for sample in self.memory:
            digest.update(sample.digest())
        return digest.hexdigest()


def start_preset(name: str, seed: int, backbone_weights: Path | None = None) -> Start:
    """A preset that knows no label yet. backbone_weights: a file of ImageNet weights, instead of torchvision's.

    Raises InvalidInput for a preset that does not learn online, Precondition without ImageNet weights where they are
    needed.
    """
    _require_online(name)
    chosen = preset(name)
    options, state = start_from(chosen, backbone_weights)
    with seeded(seed):
        network = chosen.build(1, options, state)
    if isinstance(network, Cnn36):
        settle(network, seed)
    return Start(_learnable(network))


def start_model(folder: Path, memory: tuple[TaughtDrawing, ...] | None = None) -> Start:
    """A model that was trained on a data set. memory: other drawings than those that it keeps itself.

    Raises as read_model and read_exemplars do, and InvalidInput as start_preset does.
    """
    network, card = read_model(folder)
    _require_online(card.preset)
    kept = read_exemplars(folder, card) if memory is None else memory
    return Start(_learnable(network), card.labels, card.temperature, kept)


@torch.no_grad()
def settle(network: nn.Module, seed: int) -> None:
    """Set mean and deviation of a fresh network's batch normalizations from scribbles, so that each layer hands on
    signals of a size that can be learned from. What is written does not matter for that; ink does.
    """
    rasters = np.stack(list(_scribbles(seed)))
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0  # the statistics of this one batch
    network.train()(torch.from_numpy(model_input(rasters, 32)))
    for norm in norms:
        norm.momentum = 0.1
    network.eval()


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Within, torch's random numbers on the CPU follow from these alone; outside they go on as if nothing had been."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(*numbers))
        yield


def _scribbles(seed: int) -> Iterator[Raster]:
    """Smooth lines at random, as (64, 64) rasters."""
    rng = np.random.default_rng(seed)
    for _ in range(_SCRIBBLES):
        points = np.cumsum(np.cumsum(rng.normal(0, 0.2, (2, 24)), axis=1), axis=1)
        x, y = (tuple(((axis - axis.min()) * 100).tolist()) for axis in points)
        yield dataset_raster(rasterize(Glyph(ink=Ink((Stroke(x, y),), max(*x, 1), max(*y, 1)))))


def _require_online(name: str) -> None:
    if name not in ONLINE_PRESETS:
        raise InvalidInput("preset", f"“{name}” does not learn online; those that do are {', '.join(ONLINE_PRESETS)}")


def _learnable(network: nn.Module) -> Learnable:
    if isinstance(network, ResNet50Transformer):
        return FrozenBackbone(network)
    if isinstance(network, Cnn36):
        return WholeCnn(network)
    raise Precondition("this network does not learn online", Reason.PRESET_NOT_ONLINE)
