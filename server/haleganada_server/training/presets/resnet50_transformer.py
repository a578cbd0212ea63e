"""A frozen ImageNet network, and a transformer over the 49 cells of its last feature map.

    ink 1x224x224 -> 3x224x224 -> [ResNet-50, frozen] -> 2048x7x7 -> 49 tokens x 2048 -> linear, + learned positions
    -> 49x512 -> three encoder layers (8 heads, 2048 inside) -> mean -> 512 -> 1024 -> 512 -> classes

The backbone is completely frozen: it has no gradients, and is always in evaluation mode, so that its batch
normalizations keep ImageNet's statistics. So a drawing's features never change and can be cached: call `features` once,
then `classify` any number of times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from haleganada_server.core.models.presets import PRESET_FACTS

from .backbones import get_backbone, load_backbone_weights
from .decoder import expand_linear
from .normalization import Normalize
from .transformer import EncoderLayer

TOKENS = 49
WIDTH = 512
_LAYERS, _HEADS, _INNER = 3, 8, 2048


class ResNet50Transformer(nn.Module):
    """(n, 1, 224, 224) -> logits (n, classes). backbone: name of the frozen network."""

    def __init__(self, classes: int, backbone: str = "resnet50") -> None:
        super().__init__()
        found = get_backbone(backbone)
        self.normalize = Normalize(PRESET_FACTS["resnet50-transformer"].preprocessing)
        self.backbone = found.build().requires_grad_(False).eval()
        self.project = nn.Linear(found.channels, WIDTH)
        self.positions = nn.Parameter(torch.randn(TOKENS, WIDTH) * 0.02)
        self.encoder = nn.Sequential(*(EncoderLayer(WIDTH, _HEADS, _INNER, dropout=0.1) for _ in range(_LAYERS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.dense = nn.Sequential(
            nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH), nn.ReLU(), nn.Dropout(0.3)
        )
        self.decoder = nn.Linear(WIDTH, classes)

    def train(self, mode: bool = True) -> ResNet50Transformer:
        """Switch all but the backbone, which stays in evaluation mode, because copies that predict share it."""
        self.training = mode
        for child in self.children():
            if child is not self.backbone:
                child.train(mode)
        return self

    def forward(self, ink: Tensor) -> Tensor:
        return self.classify(self.features(ink))

    @torch.no_grad()
    def features(self, ink: Tensor) -> Tensor:
        """(n, 1, 224, 224) -> (n, 49, channels), row by row. Training does not change it."""
        maps: Tensor = self.backbone(self.normalize(ink))
        return maps.flatten(2).transpose(1, 2)

    def classify(self, features: Tensor) -> Tensor:
        """(n, 49, channels) -> logits (n, classes)."""
        tokens = self.encoder(self.project(features) + self.positions)
        logits: Tensor = self.decoder(self.dense(self.norm(tokens).mean(1)))
        return logits

    def expand_decoder(self, classes: int) -> None:
        """Predict `classes` classes from now on: new rows follow the old ones, which stay bit for bit."""
        self.decoder = expand_linear(self.decoder, classes)


def build(classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None) -> ResNet50Transformer:
    """Build a network. options: "backbone", one of backbones.BACKBONES, "resnet50" if absent.

    Raises Precondition if the backbone's weights are those of another network, InvalidInput for an unknown one.
    """
    name = str(options.get("backbone", "resnet50"))
    network = ResNet50Transformer(classes, name)
    if backbone is not None:
        load_backbone_weights(network.backbone, backbone, name)
    return network
