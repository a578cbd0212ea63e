"""A frozen ImageNet network whose last map is read as a sentence of 49 words by a transformer.

    ink 1x224x224 -> 3x224x224 -> [ResNet-50, frozen] -> 2048x7x7 -> 49 tokens x 2048 -> linear, + learned positions
    -> 49x512 -> three encoder layers (8 heads, 2048 inside) -> mean -> 512 -> 1024 -> 512 -> classes

The backbone is frozen in the full sense: no gradients, and always in evaluation mode, so that its batch normalizations
keep ImageNet's statistics. Its features of a drawing therefore never change and can be cached: `features` once, then
`classify` as often as one likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from haleganada_server.core.models.presets import PRESET_FACTS

from .backbones import backbone as find_backbone
from .backbones import load_checked
from .encoder import EncoderLayer
from .growth import grown
from .normalization import Normalize

TOKENS = 49
WIDTH = 512
_LAYERS, _HEADS, _INNER = 3, 8, 2048


class ResNet50Transformer(nn.Module):
    """(n, 1, 224, 224) -> logits (n, classes). `backbone` names another frozen network; channels: of its map."""

    def __init__(self, classes: int, backbone: str = "resnet50") -> None:
        super().__init__()
        found = find_backbone(backbone)
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
        """All but the backbone, which is in evaluation mode at every moment: copies that answer share it meanwhile."""
        self.training = mode
        for child in self.children():
            if child is not self.backbone:
                child.train(mode)
        return self

    def forward(self, ink: Tensor) -> Tensor:
        return self.classify(self.features(ink))

    @torch.no_grad()
    def features(self, ink: Tensor) -> Tensor:
        """(n, 1, 224, 224) -> (n, 49, channels), row by row; the same whatever is trained."""
        maps: Tensor = self.backbone(self.normalize(ink))
        return maps.flatten(2).transpose(1, 2)

    def classify(self, features: Tensor) -> Tensor:
        """(n, 49, channels) -> logits (n, classes)."""
        tokens = self.encoder(self.project(features) + self.positions)
        logits: Tensor = self.decoder(self.dense(self.norm(tokens).mean(1)))
        return logits

    def grow(self, classes: int) -> None:
        """Answer with `classes` classes from now on: new rows behind the old ones, which stay bit for bit."""
        self.decoder = grown(self.decoder, classes)


def build(classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None) -> ResNet50Transformer:
    """options: "backbone", one of backbones.BACKBONES, "resnet50" if absent.

    Raises Precondition if the backbone's weights are those of another network, InvalidInput for an unknown one.
    """
    name = str(options.get("backbone", "resnet50"))
    network = ResNet50Transformer(classes, name)
    if backbone is not None:
        load_checked(network.backbone, backbone, name)
    return network
