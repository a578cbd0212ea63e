"""What online learning starts from: a preset with random or ImageNet weights, or a trained model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
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
from haleganada_server.training.presets import get_preset
from haleganada_server.training.presets.backbone_weights import load_initial_weights
from haleganada_server.training.presets.cnn36 import Cnn36
from haleganada_server.training.presets.resnet50_transformer import ResNet50Transformer
from haleganada_server.vision import dataset_raster, model_input, rasterize

from .networks import FrozenBackbone, OnlineNetwork, TrainableCnn, hash_tensors

_SCRIBBLES = 64


@dataclass(frozen=True, eq=False)
class InitialModel:
    """network: never changed, only copied. labels: known labels, by row of the decoder. temperature: predictions divide
    logits by it. exemplars: drawings that it was trained with, which are replayed as if they had been taught.
    """

    network: OnlineNetwork
    labels: tuple[str, ...] = ()
    temperature: float = 1.0
    exemplars: tuple[TaughtDrawing, ...] = ()

    def __post_init__(self) -> None:
        """Raises InvalidInput for an exemplar whose label is not known."""
        unknown = {sample.label for sample in self.exemplars}.difference(self.labels)
        if unknown:
            raise InvalidInput("exemplars", f"the model does not know {', '.join(sorted(unknown))}")

    def sha256(self) -> str:
        """Return a hash of everything that learning from here depends on."""
        digest = hashlib.sha256(hash_tensors(self.network.module.state_dict()).encode())
        digest.update("\n".join([type(self.network).__name__, repr(self.temperature), *self.labels]).encode())
        for sample in self.exemplars:
            digest.update(sample.digest())
        return digest.hexdigest()


def build_initial_model(preset: str, seed: int, backbone_weights: Sequence[Path] = ()) -> InitialModel:
    """Build a preset that knows no label yet. backbone_weights: files of ImageNet weights.

    Raises InvalidInput for a preset that does not learn online, Precondition if its ImageNet weights are missing.
    """
    _require_online(preset)
    chosen = get_preset(preset)
    options, state = load_initial_weights(chosen, backbone_weights)
    with fix_seed(seed):
        module = chosen.build(1, options, state)
    if isinstance(module, Cnn36):
        calibrate_batch_norms(module, seed)
    return InitialModel(_wrap(module))


def load_initial_model(folder: Path, exemplars: tuple[TaughtDrawing, ...] | None = None) -> InitialModel:
    """Load a model that was trained on a data set. exemplars: other drawings than those that it keeps itself.

    Raises as read_model and read_exemplars do, and InvalidInput for a preset that does not learn online.
    """
    module, card = read_model(folder)
    _require_online(card.preset)
    kept = read_exemplars(folder, card) if exemplars is None else exemplars
    return InitialModel(_wrap(module), card.labels, card.temperature, kept)


@torch.no_grad()
def calibrate_batch_norms(module: nn.Module, seed: int) -> None:
    """Set mean and deviation of a new network's batch normalizations from scribbles.

    Each layer then passes on signals of a size that can be learned from. Any ink will do for that.
    """
    rasters = np.stack(list(_generate_scribbles(seed)))
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0  # the statistics of this one batch
    module.train()(torch.from_numpy(model_input(rasters, 32)))
    for norm in norms:
        norm.momentum = 0.1
    module.eval()


@contextmanager
def fix_seed(*numbers: int) -> Iterator[None]:
    """Make torch's random numbers on the CPU follow from these numbers; afterwards restore their state from before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(*numbers))
        yield


def _generate_scribbles(seed: int) -> Iterator[Raster]:
    """Yield smooth random lines as (64, 64) rasters."""
    rng = np.random.default_rng(seed)
    for _ in range(_SCRIBBLES):
        points = np.cumsum(np.cumsum(rng.normal(0, 0.2, (2, 24)), axis=1), axis=1)
        x, y = (tuple(((axis - axis.min()) * 100).tolist()) for axis in points)
        yield dataset_raster(rasterize(Glyph(ink=Ink((Stroke(x, y),), max(*x, 1), max(*y, 1)))))


def _require_online(preset: str) -> None:
    if preset not in ONLINE_PRESETS:
        raise InvalidInput("preset", f"“{preset}” does not learn online; those that do are {', '.join(ONLINE_PRESETS)}")


def _wrap(module: nn.Module) -> OnlineNetwork:
    if isinstance(module, ResNet50Transformer):
        return FrozenBackbone(module)
    if isinstance(module, Cnn36):
        return TrainableCnn(module)
    raise Precondition("this network does not learn online", Reason.PRESET_NOT_ONLINE)
