"""ResNet-18 (He et al. 2015) as in torchvision, from scratch for ink or from ImageNet weights.

From scratch, the first layer is made for small ink: 3 x 3 with stride 2 instead of 7 x 7 with pooling, which would
reduce 64 px to a map of 2 x 2.

    ink 1x64x64 -> 64x32x32 -> 64x32x32 -> 128x16x16 -> 256x8x8 -> 512x4x4 -> mean -> classes

From ImageNet weights, all layers but the last one start as they were trained, and the input is larger.

    ink 1x128x128 -> 3x128x128 -> 64x32x32 -> 64x32x32 -> 128x16x16 -> 256x8x8 -> 512x4x4 -> mean -> classes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from haleganada_server.core.models.card import Preprocessing
from haleganada_server.core.models.presets import PRESET_FACTS

from .backbones import load_backbone_weights
from .normalization import Normalize

if TYPE_CHECKING:  # slower to import than torch, and most networks do not need it
    from torchvision.models import ResNet


class ResNet18(nn.Module):
    """(n, 1, side, side) -> logits (n, classes). trunk: a ResNet-18 that ends with 512 features."""

    def __init__(self, preprocessing: Preprocessing, trunk: ResNet, classes: int) -> None:
        super().__init__()
        self.normalize = Normalize(preprocessing)
        self.trunk = trunk
        self.decoder = nn.Linear(512, classes)

    def forward(self, ink: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.trunk(self.normalize(ink)))
        return logits


def build(classes: int, options: Mapping[str, Any], backbone: Mapping[str, Tensor] | None) -> ResNet18:  # noqa: ARG001
    """Build a network from scratch. It takes ink of any side, which `options` may name, and has no backbone."""
    preprocessing, trunk = PRESET_FACTS["resnet18"].preprocessing, _build_trunk()
    trunk.conv1 = nn.Conv2d(preprocessing.channels, 64, 3, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(trunk.conv1.weight, mode="fan_out", nonlinearity="relu")
    trunk.maxpool = nn.Identity()
    return ResNet18(preprocessing, trunk, classes)


def build_pretrained(
    classes: int,
    options: Mapping[str, Any],  # noqa: ARG001
    backbone: Mapping[str, Tensor] | None,
) -> ResNet18:
    """Build a network from ImageNet weights. It takes ink of any side, which `options` may name. Raises Precondition if
    the weights do not fit.
    """
    trunk = _build_trunk()
    if backbone is not None:
        load_backbone_weights(trunk, backbone, "resnet18")
    return ResNet18(PRESET_FACTS["resnet18-imagenet"].preprocessing, trunk, classes)


def _build_trunk() -> ResNet:
    from torchvision.models import resnet18

    trunk = resnet18(weights=None)
    trunk.fc = nn.Identity()
    return trunk
