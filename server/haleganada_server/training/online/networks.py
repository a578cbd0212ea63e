"""The networks that learn online: what is computed once for each drawing, and what is trained on it.

The features of a drawing never change, so they are cached, and every step begins with them. They are rounded to half
precision, in learning as in prediction: 200 KB for a drawing's 49 tokens of ResNet-50.
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


class OnlineNetwork(Protocol):
    """A network whose last layer is `decoder`."""

    @property
    def module(self) -> nn.Module:
        """The whole network."""

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """Shape of one drawing's features."""

    @property
    def side(self) -> int:
        """Height and width of its input, in px."""

    @property
    def threads(self) -> int:
        """Number of threads that one step can use."""

    def compute_features(self, raster: Raster) -> Tensor:
        """(64, 64) -> (*feature_shape) float16. One drawing at a time, because a batch may be rounded differently."""

    def compute_logits(self, features: Tensor) -> Tensor:
        """(n, *feature_shape) float32 -> (n, rows of the decoder)."""

    def train(self) -> None:
        """Switch to training mode: dropout is active from now on."""

    def copy(self) -> OnlineNetwork:
        """Return a copy that can be trained without changing this one; frozen parts are shared."""

    def frozen_state(self) -> Mapping[str, Tensor]:
        """Return the part of the state that is never trained, which the features depend on."""


class FrozenBackbone:
    """resnet50-transformer: the backbone's feature map is cached; the transformer and all behind it are trained."""

    threads = 8  # on two cores a drawing takes 5 to 7 s with two threads, 9 to 11 s with one; predictions take 0.23 s

    def __init__(self, module: ResNet50Transformer) -> None:
        self.module = module
        self.feature_shape = (TOKENS, module.project.in_features)
        self.side = PRESET_FACTS["resnet50-transformer"].preprocessing.side

    def compute_features(self, raster: Raster) -> Tensor:
        return self.module.features(_to_ink(raster, self.side))[0].half().contiguous()

    def compute_logits(self, features: Tensor) -> Tensor:
        return self.module.classify(features)

    def train(self) -> None:
        self.module.train()  # leaves the backbone in evaluation mode

    def copy(self) -> FrozenBackbone:
        backbone = self.module.backbone
        return FrozenBackbone(copy.deepcopy(self.module, {id(backbone): backbone}))

    def frozen_state(self) -> Mapping[str, Tensor]:
        return {k: v for k, v in self.module.state_dict().items() if k.startswith("backbone.")}


class TrainableCnn:
    """cnn36: all layers are trained, on the ink itself.

    Its batch normalizations keep their initial mean and deviation, because a few drawings at a time give no estimate of
    them; their scales and shifts are trained.
    """

    threads = 1  # on two cores a drawing takes 0.38 s with two threads, 0.31 s with one; predictions 5 ms and 3 ms

    def __init__(self, module: Cnn36) -> None:
        self.module = module
        self.side = module.side
        self.feature_shape = (1, module.side, module.side)

    def compute_features(self, raster: Raster) -> Tensor:
        return _to_ink(raster, self.side)[0].half()

    def compute_logits(self, features: Tensor) -> Tensor:
        logits: Tensor = self.module(features)
        return logits

    def train(self) -> None:
        self.module.train()
        for module in self.module.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    def copy(self) -> TrainableCnn:
        return TrainableCnn(copy.deepcopy(self.module))

    def frozen_state(self) -> Mapping[str, Tensor]:
        return {}


def copy_trained_state(network: OnlineNetwork) -> dict[str, Tensor]:
    """Copy all tensors that are not frozen."""
    frozen = network.frozen_state()
    state = network.module.state_dict()
    return {k: v.detach().clone() for k, v in state.items() if k not in frozen}


def list_trained_parameters(network: OnlineNetwork) -> list[nn.Parameter]:
    """Return the parameters that are not frozen, in the network's own order."""
    return [parameter for parameter in network.module.parameters() if parameter.requires_grad]


def hash_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def _to_ink(raster: NDArray[np.uint8], side: int) -> Tensor:
    """(64, 64) -> (1, 1, side, side)."""
    return torch.from_numpy(model_input(raster[None], side))
