"""The networks that learn online: what is computed once for each drawing, and what is trained on it.

A drawing's features never change, so they are kept and every step begins with them. They are rounded to half
precision, in learning as in answering: 200 KB for a drawing's 49 tokens of ResNet-50.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from haleganada_server.core.models.presets import PRESET_FACTS
from haleganada_server.training.common.taught_drawing import Raster
from haleganada_server.training.presets.cnn36 import Cnn36
from haleganada_server.training.presets.resnet50_transformer import TOKENS, ResNet50Transformer
from haleganada_server.vision import model_input


class Learnable(Protocol):
    """A network with a last layer `decoder`."""

    @property
    def network(self) -> nn.Module:
        """All of it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one drawing's features."""

    @property
    def threads(self) -> int:
        """As many as one step of learning has use for."""

    def features(self, raster: Raster) -> Tensor:
        """(64, 64) -> (*shape) float16. One drawing at a time: a batch might be rounded differently."""

    def logits(self, features: Tensor) -> Tensor:
        """(n, *shape) float32 -> (n, rows of the decoder)."""

    def learning(self) -> None:
        """From now on dropout is active."""

    def copy(self) -> Learnable:
        """One that can change without this one; frozen parts are shared."""

    def frozen(self) -> Mapping[str, Tensor]:
        """The part of the network's state that is never trained, on which features depend."""


class FrozenBackbone:
    """resnet50-transformer: the backbone's map is kept, the transformer and all behind it is trained."""

    threads = (
        8  # on two cores a drawing takes 5 to 7 s with two, 9 to 11 s with one; answers meanwhile 0.23 s, either way
    )

    def __init__(self, network: ResNet50Transformer) -> None:
        self.network = network
        self.shape = (TOKENS, network.project.in_features)

    def features(self, raster: Raster) -> Tensor:
        return self.network.features(_ink(raster, "resnet50-transformer"))[0].half().contiguous()

    def logits(self, features: Tensor) -> Tensor:
        return self.network.classify(features)

    def learning(self) -> None:
        self.network.train()  # which leaves the backbone as it is

    def copy(self) -> FrozenBackbone:
        backbone = self.network.backbone
        return FrozenBackbone(copy.deepcopy(self.network, {id(backbone): backbone}))

    def frozen(self) -> Mapping[str, Tensor]:
        return {k: v for k, v in self.network.state_dict().items() if k.startswith("backbone.")}


class WholeCnn:
    """cnn36: all layers are trained, on the ink itself.

    Its batch normalizations keep the mean and deviation that they came with, because those of a few drawings at a time
    are no estimate; their scales and shifts are trained.
    """

    threads = 1  # on two cores a drawing takes 0.38 s with two, 0.31 s with one; answers meanwhile 5 ms against 3 ms

    def __init__(self, network: Cnn36) -> None:
        self.network = network
        side = PRESET_FACTS["cnn36"].preprocessing.side
        self.shape = (1, side, side)

    def features(self, raster: Raster) -> Tensor:
        return _ink(raster, "cnn36")[0].half()

    def logits(self, features: Tensor) -> Tensor:
        logits: Tensor = self.network(features)
        return logits

    def learning(self) -> None:
        self.network.train()
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    def copy(self) -> WholeCnn:
        return WholeCnn(copy.deepcopy(self.network))

    def frozen(self) -> Mapping[str, Tensor]:
        return {}


def trained_state(learnable: Learnable) -> dict[str, Tensor]:
    """A copy of all tensors that are not frozen."""
    frozen = learnable.frozen()
    state = learnable.network.state_dict()
    return {k: v.detach().clone() for k, v in state.items() if k not in frozen}


def trained_parameters(learnable: Learnable) -> list[nn.Parameter]:
    """In the network's own order."""
    return [parameter for parameter in learnable.network.parameters() if parameter.requires_grad]


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def _ink(raster: NDArray[np.uint8], preset: str) -> Tensor:
    """(1, 1, side, side)."""
    return torch.from_numpy(model_input(raster[None], PRESET_FACTS[preset].preprocessing.side))
